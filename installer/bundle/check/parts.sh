# What gpu-check does, part by part. Output goes to the report; the last line of a part that holds "note:" is shown with its result.
# shellcheck shell=bash disable=SC2154,SC2034  # gpu-check sets root, engine, cli, check, work, quick, limit, wanted, report

not_tried=77
results=() failed=0

say() { printf '%s\n' "$*" | tee -a "$report"; }

# Runs a program for what is left of the part's time.
limited() {
  local left=$((deadline - SECONDS))
  [ $left -gt 0 ] || return 124
  timeout --foreground -k 10 $left "$@" < /dev/null
}

# The same, told in the report.
tell() {
  printf '$ %s\n' "${*//$root\//}"
  limited "$@"
}

# NAME FUNCTION [ARGUMENTS]: 0 passes, 77 was not tried, anything else fails.
part() {
  local name=$1 from=$SECONDS status outcome note output=$work/output
  shift
  deadline=$((SECONDS + limit))
  [ ! -t 1 ] || printf '      %s ...\r' "$name"
  "$@" > "$output" 2>&1
  status=$?
  note=$(sed -n 's/^note: //p' "$output" | tail -n 1)
  case $status in
    0) outcome=pass ;;
    "$not_tried") outcome='not tried' ;;
    124 | 137) outcome=FAIL note="took longer than its $limit seconds" failed=$((failed + 1)) ;;
    *) outcome=FAIL failed=$((failed + 1)) note=${note:-exit status $status: $(tail -n 1 "$output" | cut -c1-200)} ;;
  esac
  printf '\n=== %s: %s, %d s\n' "$name" "$outcome" $((SECONDS - from)) >> "$report"
  tr '\r' '\n' < "$output" | grep -v ' % of [0-9]* MB$' >> "$report"  # without what shows progress
  results+=("$(printf '%-9s  %s (%d s)%s' "$outcome" "$name" $((SECONDS - from)) "${note:+: $note}")")
  if [ -t 1 ]; then printf '%s\033[K\n' "${results[-1]}"; else printf '%s\n' "${results[-1]}"; fi
}

summary() {
  printf '\n=== Summary\n' >> "$report"
  printf '%s\n' "${results[@]}" >> "$report"
  say ""
  if [ $failed -eq 0 ]; then say "Nothing failed."; else say "Failed parts: $failed."; fi
  printf 'The whole report: %s\n' "$report"
  [ $failed -eq 0 ] || exit 1
}

# Files of a library that a program finds: beside the programs, in LD_LIBRARY_PATH, or known to the system.
find_library() {
  local folder
  { echo "$root/lib"; tr ':' '\n' <<< "${LD_LIBRARY_PATH:-}"; } | while read -r folder; do
    [ -z "$folder" ] || find "$folder" -maxdepth 1 -name "$1*" 2>/dev/null
  done
  [ ! -x /sbin/ldconfig ] || /sbin/ldconfig -p 2>/dev/null | awk -v name="$1" 'index($1, name) == 1 { print $NF }'
}

vulkan_drivers() {
  find /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d "${XDG_DATA_HOME:-${HOME:-}/.local/share}/vulkan/icd.d" -name '*.json' 2>/dev/null
}

# A toolkit's cuBLAS and a container's Vulkan driver may lie where the system does not look.
reach_out() {
  local file
  echo "cuBLAS beside the programs or known to the system: $(find_library libcublasLt.so. | tr '\n' ' ')"
  file=$(find /usr/local/cuda*/lib64/ /usr/local/cuda*/targets/x86_64-linux/lib/ -maxdepth 1 -name 'libcublasLt.so.*' 2>/dev/null | head -n 1)
  if [ -n "$file" ] && [ -z "$(find_library libcublasLt.so.)" ]; then
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${file%/*}
    echo "cuBLAS of a toolkit, taken into LD_LIBRARY_PATH: $file"
  fi
  echo "libcuda: $(find_library libcuda.so. | tr '\n' ' ')"
  echo "Vulkan loader: $(find_library libvulkan.so. | tr '\n' ' ') (lib/vulkan where the system has none)"
  file=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && [ -e $file ] && ! vulkan_drivers | grep -q nvidia; then
    export VK_DRIVER_FILES=$file VK_ICD_FILENAMES=$file
  fi
  echo "Vulkan drivers: ${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-$(vulkan_drivers | tr '\n' ' ')}}"
}

show_machine() {
  local glibc needed
  uname -srm
  ( . /etc/os-release 2>/dev/null && echo "$PRETTY_NAME" )
  sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c
  grep -owE 'avx2|avx512_vnni|avx512_bf16|avx_vnni|amx_int8|amx_bf16' /proc/cpuinfo | sort -u | tr '\n' ' '
  printf '\n%s processors for this process\n' "$(nproc)"
  grep -E '^(MemTotal|MemAvailable)' /proc/meminfo
  df -Ph "$work"
  if command -v nvidia-smi > /dev/null; then
    tell nvidia-smi
    tell nvidia-smi --query-gpu=index,name,driver_version,memory.total,memory.used,pstate,clocks.sm,clocks.max.sm,clocks.max.mem,power.limit,temperature.gpu --format=csv
  else
    echo "nvidia-smi: not here"
  fi
  cat /proc/driver/nvidia/version 2>/dev/null
  reach_out
  glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1)
  needed=$(cat "$check/glibc")
  echo "C library: $glibc, the programs need glibc $needed"
  [ "$(printf '%s\n%s\n' "$needed" "${glibc##* }" | sort -V | head -n 1)" = "$needed" ] && return
  echo "note: the C library is ${glibc##* }, the programs need $needed; choose a newer system or container"
  return 1
}

show_devices() {
  tell "$engine" --version || return
  tell "$engine" devices > "$work/devices" 2> "$work/problems" || { cat "$work/problems"; return 1; }
  cat "$work/devices" "$work/problems"
  [ ! -s "$work/problems" ] || echo "note: $(tr '\n' ' ' < "$work/problems")"
  # A machine may lack one backend's driver; a card of NVIDIA that CUDA does not list is a failure.
  if [ -e /proc/driver/nvidia/version ] && [ -e "$root/lib/lavascope/lavascope-cuda.so" ] && ! grep -q '^cuda:' "$work/devices"; then
    [ -s "$work/problems" ] || echo "note: the NVIDIA driver is loaded, but CUDA lists no card"
    return 1
  fi
}

# Fills devices: what was asked for, or the first card of each backend. A graphics card is what the check is about: without one it fails, and checks the processor.
choose_devices() {
  local backend found
  devices=(${wanted[@]+"${wanted[@]}"})
  [ ${#devices[@]} -eq 0 ] || return
  for backend in cuda vulkan; do
    found=$(grep -v 'played by the processor$' "$work/devices" 2>/dev/null | awk -v b="$backend:" 'index($1, b) == 1 { print $1; exit }')
    [ -z "$found" ] || devices+=("$found")
  done
  [ ${#devices[@]} -gt 0 ] && return
  part "a graphics card" no_card
  devices=(cpu)
}

no_card() {
  echo "note: none is listed; the processor is checked instead (asking for it with --device cpu is no failure)"
  return 1
}

is_software() { awk -v d="$1" 'index($1, d) == 1 { print; exit }' "$work/devices" | grep -q 'played by the processor$'; }

run_programs() {
  tell "$cli" detect "$root/share/lavascope/demo/cat.png" --json > "$work/seen" || { cat "$work/seen"; return 1; }
  cat "$work/seen"
  grep -q '"label": *"cat"' "$work/seen" || { echo "note: the detector does not see the cat of share/lavascope/demo/cat.png"; return 1; }
}

selftest_device() {
  if [ "$quick" = no ]; then tell "$engine" selftest --device "$1" --verbose; return; fi
  tell "$engine" selftest --device "$1" --quick
}

ids_of() { sed -n 's/.*"greedy_ids":\[\([0-9,]*\)\].*/\1/p'; }

# The lines of cases, see make.py: when name model pictures prompt option count ids, between tabs; - where there is none; \n for a new line of the prompt.
cases() {
  local files=("$check/cases")
  [ "$base" = no ] || files+=("$check/cases-default")
  if [ "$quick" = yes ]; then grep -h '^quick' "${files[@]}"; else cat "${files[@]}"; fi
}

recorded_answers() {
  local base=yes name model pictures prompt option count ids picture answer status right=0 different=0 arguments
  limited "$engine" inspect default > /dev/null 2>&1 || { base=no; echo "The default model's language base is not here: its answers are left out."; }
  cases > "$work/cases"
  while IFS=$'\t' read -r _ name model pictures prompt option count ids; do
    [ "$model" = default ] || model=$check/$model
    arguments=(--device "$1" --model "$model" --greedy "$count")
    [ "$option" = - ] || arguments+=("$option")
    if [ "$pictures" != - ]; then for picture in $pictures; do arguments+=(--image "$check/$picture"); done; fi
    prompt=$(printf '%b.' "$prompt")  # the point keeps new lines at the end
    answer=$(limited "$engine" logits "${arguments[@]}" --prompt "${prompt%.}" 2>&1)
    status=$?
    [ $status -ne 124 ] || { echo "no time left at: $name"; return 124; }
    answer=$(ids_of <<< "$answer" | grep . || echo "no answer: $answer")
    [ "$model" != default ] || answer=${answer%%,2,*} answer=${answer%,2}  # what follows the end of an answer is not recorded
    if [ "$answer" = "$ids" ]; then
      right=$((right + 1))
      echo "same       $name"
    else
      different=$((different + 1))
      printf 'DIFFERENT  %s\n  recorded %s\n  now      %s\n' "$name" "$ids" "$answer"
    fi
  done < "$work/cases"
  echo "note: $right of $((right + different)) are the same, token for token"
  [ $different -eq 0 ] && [ $right -gt 0 ]
}

# The largest difference of the best logits in two answers, as a share of the largest logit; nothing where fewer than 7 of 10 tokens are in both.
difference_of() {
  sed -n 's/.*"top":\[\[\(.*\)\]\].*/\1/p' "$@" | sed 's/\],\[/ /g' | awk '
    NR == 1 { for (i = 1; i <= NF; ++i) { split($i, p, ","); first[p[1]] = p[2]; size = p[2] > size ? p[2] : -p[2] > size ? -p[2] : size } }
    NR == 2 { for (i = 1; i <= NF; ++i) { split($i, p, ","); if (p[1] in first) { ++both; d = p[2] - first[p[1]]; d = d < 0 ? -d : d; worst = d > worst ? d : worst } }
              if (both >= 7 && size > 0) printf "%.6f", worst / size }'
}

same_logits() {
  local format way bound difference prompt='The quick brown fox jumps over the lazy dog, and nobody knows why it does so.' status=0 worst=''
  [ "$1" != cpu ] || { echo "note: this is the processor"; return "$not_tried"; }
  for format in q4_0 $([ "$quick" = yes ] || echo q4_1 q5_0 q5_1 q8_0 q6_k f16 bf16 f32); do
    tell "$engine" synth --shape smollm2-135m --format "$format" -o "$work/same.gguf" > "$work/log" 2>&1 || { cat "$work/log"; return 1; }
    for way in exact fast; do
      bound=0.002
      [ $way = exact ] || bound=0.05
      tell "$engine" logits --model "$work/same.gguf" --prompt "$prompt" --$way --device cpu > "$work/first" || return
      tell "$engine" logits --model "$work/same.gguf" --prompt "$prompt" --$way --device "$1" > "$work/second" || return
      difference=$(difference_of "$work/first" "$work/second")
      echo "$format, $way: ${difference:-too different} of the largest logit, at most $bound"
      worst+="${worst:+, }$format $way ${difference:-too different}"
      awk -v d="${difference:-9}" -v b=$bound 'BEGIN { exit !(d <= b) }' || { status=1; cat "$work/first" "$work/second"; }
    done
    rm -f "$work/same.gguf"
  done
  echo "note: difference $worst"
  return $status
}

# The server on the device, and the command line as its client.
over_the_wire() {
  local folder=$check/transformers/llava15 token address='' status
  token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  LAVASCOPE_TOKEN=$token "$engine" serve --model "$folder" --device "$1" --port 0 > "$work/server" 2> "$work/server-log" < /dev/null &
  server=$!
  while [ -z "$address" ] && kill -0 $server 2>/dev/null && [ $SECONDS -lt "$deadline" ]; do
    sleep 0.1
    address=$(sed -n 's/.*"listening":"\([^"]*\)".*/\1/p' "$work/server")
  done
  echo "listening at ${address:-nothing}"
  LAVASCOPE_TOKEN=$token tell "$cli" ask "What is in the picture?" "$folder/scene.png" --server "${address:-http://127.0.0.1:1}" --max-tokens 16 --no-save --json
  status=$?
  kill $server 2>/dev/null
  wait $server 2>/dev/null
  server=''
  cat "$work/server-log"
  return $status
}

sanitize() {
  local tool='' op log=$work/sanitizer status=0
  case $1 in cuda*) ;; *) echo "note: it watches CUDA only"; return "$not_tried" ;; esac
  for tool in "$(command -v compute-sanitizer)" /usr/local/cuda/bin/compute-sanitizer /usr/local/cuda-*/bin/compute-sanitizer ''; do [ ! -x "$tool" ] || break; done
  [ -n "$tool" ] || { echo "note: compute-sanitizer is not here; it comes with the CUDA toolkit"; return "$not_tried"; }
  # Its target is the program itself: the launcher is a script.
  for op in $([ "$quick" = yes ] && echo rms_norm || echo rms_norm softmax attention qkv_rope_store linear); do
    LD_LIBRARY_PATH=$root/lib:${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$root/lib/runtime tell "$tool" --tool memcheck --error-exitcode 86 "$root/libexec/lavascope-engine" selftest --device "$1" --op "$op" > "$log" 2>&1
    status=$((status + $?))
    tail -n 40 "$log"
    [ $SECONDS -lt "$deadline" ] || return 124
  done
  [ $status -eq 0 ]
}
