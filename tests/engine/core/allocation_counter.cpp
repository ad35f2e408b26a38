// Counts this program's allocations too (operator new is replaced once per program).
#include "tests/kernels/allocation_counter.cpp"
