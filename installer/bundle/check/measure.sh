# The measurements of gpu-check: models of real shapes with random weights, made on the spot and removed afterwards.
# shellcheck shell=bash disable=SC2154  # gpu-check and parts.sh set the rest

free_mb() { df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }'; }
memory_mb() { awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }

# FILE SHAPE FORMAT NEEDED-MB: makes a model, where disk and memory can hold it.
make_model() {
  local file=$1 needed=$4
  if [ "$(free_mb)" -lt $((needed + 500)) ]; then echo "note: $2 needs $needed MB on disk, $(free_mb) MB are free in $work; --work names another folder"; return "$not_tried"; fi
  if [ "$(memory_mb)" -lt $((needed + needed / 2)) ]; then echo "note: $2 needs $((needed + needed / 2)) MB of memory, $(memory_mb) MB are free"; return "$not_tried"; fi
  tell "$engine" synth --shape "$2" --format "$3" -o "$file"
}

number_of() { sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p"; }

# WHAT NUMBER WORDS ARGUMENTS...: one measurement. Its number, in the place of # in the words, goes into `found`, a failure into `bad`.
bench() {
  local what=$1 number=$2 words=$3 line status
  shift 3
  [ "$quick" = no ] || set -- "$@" --repeat 1
  tell "$engine" bench "$what" "$@" --json > "$work/line" 2> "$work/error"
  status=$?
  sed 's/^/error: /' "$work/error"
  cat "$work/line"
  line=$(tail -n 1 "$work/line")
  if [ $status -ne 0 ]; then bad=$status; return; fi
  found+="${found:+, }${words/\#/$(number_of "$number" <<< "$line" | awk '{ printf "%.4g", $1 }')}"
}

# DEVICE SHAPE FORMAT NEEDED-MB PROMPT ANSWER
bench_text() {
  local file=$work/$2-$3.gguf found='' bad=0
  make_model "$file" "$2" "$3" "$4" || return
  bench prefill tokens_per_s "prompt of $5 # tokens/s" --model "$file" -n "$5" --device "$1"
  bench decode tokens_per_s "answer of $6 #" --model "$file" -n "$6" --device "$1"
  [ "$quick" = yes ] || bench decode tokens_per_s "at depth 2048 #" --model "$file" -n "$6" --depth 2048 --device "$1"
  bench open seconds "opens in # s" --model "$file" --device "$1"
  rm -rf "$file" "$LAVASCOPE_CACHE"  # a pack of its weights may be as large
  echo "note: $found"
  return $bad
}

# DEVICE MODEL: the same without what the device does of its own accord, so that a report shows what that is worth.
bench_without() {
  case $1 in
    cuda*)
      LAVASCOPE_CUBLASLT=off bench prefill tokens_per_s "prompt without cuBLASLt #" --model "$2" -n 576 --device "$1"
      LAVASCOPE_CUDA_EARLY=off bench decode tokens_per_s "answer without early launches #" --model "$2" -n 128 --device "$1"
      ;;
    vulkan*) LAVASCOPE_VULKAN_MATRIX=0 bench prefill tokens_per_s "prompt without cooperative matrices #" --model "$2" -n 576 --device "$1" ;;
  esac
}

# A model that sees: a language model and a tower, in one folder.
bench_vision() {
  local folder=$work/sees found='' bad=0 model
  model=$folder/$2-$3.gguf
  mkdir -p "$folder"
  make_model "$model" "$2" "$3" "$4" || bad=$?
  [ $bad -ne 0 ] || make_model "$folder/mmproj-$2-f16.gguf" clip-l-336 f16 700 || bad=$?
  if [ $bad -ne 0 ]; then rm -rf "$folder"; return $bad; fi
  bench encode seconds "a picture through the tower in # s" --model "$folder/mmproj-$2-f16.gguf" --device "$1"
  bench ttft seconds "to its first token # s" --model "$model" --device "$1"
  bench prefill tokens_per_s "prompt of 576 # tokens/s" --model "$model" -n 576 --device "$1"
  bench decode tokens_per_s "answer of 128 #" --model "$model" -n 128 --device "$1"
  bench decode tokens_per_s "at depth 2048 #" --model "$model" -n 128 --depth 2048 --device "$1"
  bench_without "$1" "$model"
  bench open seconds "opens in # s" --model "$model" --device "$1"
  rm -rf "$folder" "$LAVASCOPE_CACHE"
  echo "note: $found"
  return $bad
}

bench_tower() {
  local file=$work/mmproj-clip-l-336-f16.gguf found='' bad=0
  make_model "$file" clip-l-336 f16 700 || return
  bench encode seconds "a picture through the tower in # s" --model "$file" --device "$1"
  rm -f "$file"
  echo "note: $found"
  return $bad
}

bench_ops() {
  tell "$engine" bench ops --help > "$work/help" || return
  if ! grep -q -- --device "$work/help"; then
    [ "$1" = cpu ] || { echo "note: this engine measures single operations on the processor only"; return "$not_tried"; }
    tell "$engine" bench ops
    return
  fi
  tell "$engine" bench ops --device "$1"
}

measure_device() {
  if [ "$quick" = yes ]; then
    part "$1: speed, smollm2-135m Q4_0" bench_text "$1" smollm2-135m q4_0 150 64 8
    return
  fi
  part "$1: speed of operations" bench_ops "$1"
  part "$1: speed, smollm2-135m Q4_0" bench_text "$1" smollm2-135m q4_0 150 512 128
  if is_software "$1"; then say "           $1 is played by the processor: larger models are left out"; return; fi
  part "$1: speed, tinyllama-1.1b Q4_0" bench_text "$1" tinyllama-1.1b q4_0 700 512 128
  part "$1: speed, tinyllama-1.1b BF16" bench_text "$1" tinyllama-1.1b bf16 2300 512 128
  part "$1: speed, clip-l-336 F16" bench_tower "$1"
  part "$1: speed, llava-1.5-7b Q4_0" bench_vision "$1" llava-1.5-7b q4_0 4000
}
