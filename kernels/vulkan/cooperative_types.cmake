# Puts ids where the types of cooperative.glsl have numbers, in the words of a module that glslangValidator --vn wrote into HEADER:
#   OpTypeCooperativeMatrixKHR <result> <bits of the component: that float type> <scope> <rows, columns: the constants of these constant_ids> <use>
file(READ ${HEADER} text)
string(REGEX REPLACE ",[ \t\n]+" "," text "${text}")
set(word "0x[0-9a-f]+")
set(id "(${word})")
string(REGEX MATCHALL "0x00071168,${word},0x000000[0-9a-f]+,${word},0x0000000[0-9a-f],0x0000000[0-9a-f]," types "${text}")
if(NOT types)
  message(FATAL_ERROR "${HEADER} has no matrix types to complete")
endif()

# The id that `instruction` names or defines.
function(find_id result instruction)
  if(NOT text MATCHES ",${instruction}")
    message(FATAL_ERROR "${HEADER}: a matrix type wants what the module lacks (${instruction})")
  endif()
  set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()
# An id stands for nothing before the instruction that makes it.
function(check_defined defining type)
  string(FIND "${text}" ",${defining}" made)
  string(FIND "${text}" "${type}" used)
  if(made LESS 0 OR made GREATER used)
    message(FATAL_ERROR "${HEADER}: a matrix type stands before what it is made of (${defining})")
  endif()
endfunction()

foreach(type ${types})
  string(REGEX MATCH "0x00071168,${id},${id},${id},${id},${id}," type "${type}")
  set(result ${CMAKE_MATCH_1})
  set(bits ${CMAKE_MATCH_2})
  set(scope ${CMAKE_MATCH_3})
  set(rows ${CMAKE_MATCH_4})
  set(columns ${CMAKE_MATCH_5})
  find_id(component "0x00030016,${id},${bits}")  # OpTypeFloat
  check_defined("0x00030016,${component},${bits}" "${type}")
  foreach(side rows columns)
    find_id(constant "0x00040047,${id},0x00000001,${${side}}")  # OpDecorate SpecId
    find_id(integer "0x00040032,${id},${constant},")            # OpSpecConstant
    check_defined("0x00040032,${integer},${constant}," "${type}")
    set(${side} ${constant})
  endforeach()
  string(REPLACE "${type}" "0x00071168,${result},${component},${scope},${rows},${columns}," text "${text}")
endforeach()
file(WRITE ${HEADER} "${text}")
