# Settings that every target of the project shares, and the helpers that folders use.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Flags of our own code; third-party headers are system headers and stay silent.
add_library(lava_flags INTERFACE)
target_include_directories(lava_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(lava_flags INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers -fvisibility=hidden)
target_link_libraries(lava_flags INTERFACE Threads::Threads)
if(LAVA_SANITIZE_ADDRESS)
  target_compile_options(lava_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g)
  target_link_options(lava_flags INTERFACE -fsanitize=address,undefined)
elseif(LAVA_SANITIZE_THREAD)
  target_compile_options(lava_flags INTERFACE -fsanitize=thread -O1 -g)
  target_link_options(lava_flags INTERFACE -fsanitize=thread)
endif()

# lava_library(NAME SOURCES... ) : a static library with the house flags.
function(lava_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC lava_flags)
endfunction()

# lava_gtest(NAME SOURCES...): one GoogleTest program and its CTest entry; lava_gtest_program: without the entry.
function(lava_gtest_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE lava_flags GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE LAVA_SOURCE_DIR="${CMAKE_SOURCE_DIR}" LAVA_BINARY_DIR="${CMAKE_BINARY_DIR}")
endfunction()
function(lava_gtest name)
  lava_gtest_program(${name} ${ARGN})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endfunction()
