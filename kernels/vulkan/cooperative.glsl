// Matrices that a subgroup holds and multiplies together (SPV_KHR_cooperative_matrix), said as instructions of SPIR-V, so that compilers which know
// nothing of the extension translate them. What they cannot name as parameters of a type are other types and constants of the pipeline: numbers stand
// there, the bits of the component and the constant_ids of rows and columns, and cooperative_types.cmake puts ids in their places.
#extension GL_EXT_spirv_intrinsics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#pragma use_vulkan_memory_model

// C (M x N) += A (M x K) B (K x N)
layout(constant_id = 8) const uint M = 16;
layout(constant_id = 9) const uint N = 16;
layout(constant_id = 10) const uint K = 16;

const uint WORKGROUP = 2, SUBGROUP = 3;           // scopes
const uint USE_A = 0, USE_B = 1, USE_C = 2;       // places in a product
const uint ROW_MAJOR = 0, COLUMN_MAJOR = 1;

#define LAVA_COOPERATIVE extensions = ["SPV_KHR_cooperative_matrix"], capabilities = [6022]
#define MatrixA spirv_type(LAVA_COOPERATIVE, id = 4456, 16u, SUBGROUP, 8u, 10u, USE_A)
#define MatrixB spirv_type(LAVA_COOPERATIVE, id = 4456, 16u, SUBGROUP, 10u, 9u, USE_B)
#define MatrixC spirv_type(LAVA_COOPERATIVE, id = 4456, 32u, SUBGROUP, 8u, 9u, USE_C)

// To and from shared memory; the pitch counts elements of the array. What other invocations wrote before a barrier is seen, and the other way round
// (the memory operands LOADED and STORED, with the workgroup as their scope).
#define LOADED 0x30u
#define STORED 0x28u
spirv_instruction(LAVA_COOPERATIVE, id = 4457)
MatrixA matrix_a(spirv_by_reference f16vec4 first, uint order, uint pitch, spirv_literal uint operands, uint scope);
spirv_instruction(LAVA_COOPERATIVE, id = 4457)
MatrixB matrix_b(spirv_by_reference f16vec4 first, uint order, uint pitch, spirv_literal uint operands, uint scope);
spirv_instruction(LAVA_COOPERATIVE, id = 4458)
void store_matrix(spirv_by_reference float first, MatrixC c, uint order, uint pitch, spirv_literal uint operands, uint scope);
spirv_instruction(LAVA_COOPERATIVE, id = 4459)
MatrixC multiply_add(MatrixA a, MatrixB b, MatrixC c);
spirv_instruction(id = 80)  // OpCompositeConstruct
MatrixC matrix_of(float value);
