// SPDX-License-Identifier: Apache-2.0
//
// Levels, dispatch, and CRC32C, whose instruction is a level of its own.
//
// Everything else has one body in KernelBodies.h, included here once per level. Inside a function with a target
// attribute clang may use that target's instructions, so no compiler flag is needed and the package stays usable
// as a dependency.

#include "CKernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

// Vectors are passed between functions only where those are inlined, so no ABI is involved.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpsabi"
#endif

// A product and a sum are two roundings at every level.
#pragma STDC FP_CONTRACT OFF

typedef uint64_t u64x8 __attribute__((vector_size(64)));
typedef uint64_t u64x8u __attribute__((vector_size(64), aligned(1), may_alias));
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef int64_t i64x8u __attribute__((vector_size(64), aligned(1), may_alias));
typedef double f64x8 __attribute__((vector_size(64)));
typedef double f64x8u __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef uint32_t u32x8u __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint8_t u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef uint64_t u64x4 __attribute__((vector_size(32)));
typedef uint64_t u64x4u __attribute__((vector_size(32), aligned(1), may_alias));
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef int64_t i64x2u __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4u __attribute__((vector_size(16), aligned(1), may_alias));
// For `mask ? a : b`, which clang has for these alone.
typedef int64_t choice64x8 __attribute__((ext_vector_type(8)));
typedef double choiceF64x8 __attribute__((ext_vector_type(8)));
typedef int64_t choice64x4 __attribute__((ext_vector_type(4)));
typedef int64_t choice64x2 __attribute__((ext_vector_type(2)));
typedef double choiceF64x4 __attribute__((ext_vector_type(4)));
typedef double choiceF64x2 __attribute__((ext_vector_type(2)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef _Bool bitx4 __attribute__((ext_vector_type(4)));
typedef _Bool bitx8 __attribute__((ext_vector_type(8)));

/// Words that four of AVX-512's registers hold.
#define FEW_WORDS 32

// MARK: Tables, filled before main

/// The places of the ones in each byte, and how many there are.
static uint8_t placesOfOnes[256][8];
static uint8_t countsOfOnes[256];
/// How many ones are below each place of each byte.
static uint8_t ranksOfOnes[256][8];
#if defined(__x86_64__)
/// Shuffles that give the next words to the lanes of a byte's ones, as 32 bits each, and nought to the others.
static uint8_t spreadWords[256][32] __attribute__((aligned(32)));
#endif
/// Slice-by-8 tables of CRC32C.
static uint32_t crcTables[8][256];

// MARK: CRC32C

static uint32_t crc32cByTable(const void *bytes, size_t byteCount, uint32_t seed) {
    const uint8_t *p = bytes;
    uint32_t crc = ~seed;
    while (byteCount >= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = crcTables[7][word & 0xFF] ^ crcTables[6][(word >> 8) & 0xFF] ^ crcTables[5][(word >> 16) & 0xFF] ^
              crcTables[4][(word >> 24) & 0xFF] ^ crcTables[3][(word >> 32) & 0xFF] ^
              crcTables[2][(word >> 40) & 0xFF] ^ crcTables[1][(word >> 48) & 0xFF] ^ crcTables[0][word >> 56];
        p += 8;
        byteCount -= 8;
    }
    while (byteCount--) crc = crcTables[0][(crc ^ *p++) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

#if defined(__x86_64__) || defined(__ARM_FEATURE_CRC32)

#if defined(__x86_64__)
#define CRC_TARGET __attribute__((target("sse4.2")))
#define CRC_WORD(crc, word) _mm_crc32_u64(crc, word)
#define CRC_BYTE(crc, byte) _mm_crc32_u8((uint32_t)(crc), byte)
#else
#define CRC_TARGET
#define CRC_WORD(crc, word) __crc32cd((uint32_t)(crc), word)
#define CRC_BYTE(crc, byte) __crc32cb((uint32_t)(crc), byte)
#endif

// Three streams hide the instruction's latency; tables join them by advancing a checksum over the zeros that stand
// for the streams behind it. After Mark Adler's crc32c.c (2013), zlib licence, written anew.
enum { crcLongBytes = 4096, crcShortBytes = 256 };
static uint32_t crcLongZeros[4][256], crcShortZeros[4][256];

static uint32_t advance(const uint32_t zeros[4][256], uint32_t crc) {
    return zeros[0][crc & 0xFF] ^ zeros[1][(crc >> 8) & 0xFF] ^ zeros[2][(crc >> 16) & 0xFF] ^ zeros[3][crc >> 24];
}

/// Tables that advance a checksum over `byteCount` zero bytes: linear, so one entry per bit and their sums.
static void fillZeros(uint32_t zeros[4][256], size_t byteCount) {
    for (int part = 0; part < 4; part++) {
        zeros[part][0] = 0;
        for (int bit = 0; bit < 8; bit++) {
            uint32_t crc = 1u << (part * 8 + bit);
            for (size_t byte = 0; byte < byteCount; byte++) crc = crcTables[0][crc & 0xFF] ^ (crc >> 8);
            for (int rest = 0; rest < 1 << bit; rest++) zeros[part][(1 << bit) | rest] = zeros[part][rest] ^ crc;
        }
    }
}

CRC_TARGET static inline __attribute__((always_inline)) uint64_t threeStreams(const uint8_t *p, size_t streamBytes,
                                                                              const uint32_t zeros[4][256],
                                                                              uint64_t crc) {
    uint64_t second = 0, third = 0;
    for (size_t offset = 0; offset < streamBytes; offset += 8) {
        uint64_t a, b, c;
        memcpy(&a, p + offset, 8);
        memcpy(&b, p + offset + streamBytes, 8);
        memcpy(&c, p + offset + 2 * streamBytes, 8);
        crc = CRC_WORD(crc, a);
        second = CRC_WORD(second, b);
        third = CRC_WORD(third, c);
    }
    crc = advance(zeros, (uint32_t)crc) ^ (uint32_t)second;
    return advance(zeros, (uint32_t)crc) ^ (uint32_t)third;
}

CRC_TARGET static uint32_t crc32cByInstruction(const void *bytes, size_t byteCount, uint32_t seed) {
    const uint8_t *p = bytes;
    uint64_t crc = (uint32_t)~seed;
    for (; byteCount >= 3 * crcLongBytes; byteCount -= 3 * crcLongBytes, p += 3 * crcLongBytes)
        crc = threeStreams(p, crcLongBytes, crcLongZeros, crc);
    for (; byteCount >= 3 * crcShortBytes; byteCount -= 3 * crcShortBytes, p += 3 * crcShortBytes)
        crc = threeStreams(p, crcShortBytes, crcShortZeros, crc);
    for (; byteCount >= 8; byteCount -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = CRC_WORD(crc, word);
    }
    for (; byteCount > 0; byteCount--, p++) crc = CRC_BYTE(crc, *p);
    return ~(uint32_t)crc;
}
#endif

// MARK: Levels

#define LEVEL 0
#define TARGET
#define AT_LEVEL(name) name##_baseline
#if defined(__ARM_FEATURE_CRC32)
#define CRC32C_BODY crc32cByInstruction
#else
#define CRC32C_BODY crc32cByTable
#endif
#include "KernelBodies.h"
#undef LEVEL
#undef TARGET
#undef AT_LEVEL
#undef CRC32C_BODY

#if defined(__x86_64__)
#define CRC32C_BODY crc32cByInstruction

#define LEVEL 1
#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,sse4.2")))
#define AT_LEVEL(name) name##_avx2
#include "KernelBodies.h"
#undef LEVEL
#undef TARGET
#undef AT_LEVEL

#define LEVEL 2
#define TARGET                                                                                                         \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi,bmi2,lzcnt,popcnt,sse4.2"),                     \
                   min_vector_width(512)))
#define AT_LEVEL(name) name##_avx512
#include "KernelBodies.h"
#undef LEVEL
#undef TARGET
#undef AT_LEVEL
#endif

const FirnKernels *firn_kernels_at(FirnCPULevel level) {
    if (level == FirnLevelBaseline) return &kernels_baseline;
#if defined(__x86_64__)
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("sse4.2");
    if (level == FirnLevelAVX2) return avx2 ? &kernels_avx2 : NULL;
    if (level == FirnLevelAVX512 && avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return &kernels_avx512;
#endif
    return NULL;
}

const FirnKernels *firn_kernels = &kernels_baseline;

/// Fills the tables and chooses the level, before main and so before any thread.
__attribute__((constructor)) static void chooseKernels(void) {
    for (int byte = 0; byte < 256; byte++) {
        int count = 0;
        for (int bit = 0; bit < 8; bit++) {
            ranksOfOnes[byte][bit] = (uint8_t)count;
            if (byte >> bit & 1) placesOfOnes[byte][count++] = (uint8_t)bit;
        }
        countsOfOnes[byte] = (uint8_t)count;
#if defined(__x86_64__)
        for (int place = 0; place < 32; place++) {
            int lane = place / 4, isTaken = place % 4 < 2 && (byte >> lane & 1);
            spreadWords[byte][place] = isTaken ? (uint8_t)(ranksOfOnes[byte][lane] * 2 + place % 4) : 0x80;
        }
#endif
        uint32_t crc = (uint32_t)byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        crcTables[0][byte] = crc;
    }
    for (int slice = 1; slice < 8; slice++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t previous = crcTables[slice - 1][byte];
            crcTables[slice][byte] = crcTables[0][previous & 0xFF] ^ (previous >> 8);
        }
#if defined(__x86_64__) || defined(__ARM_FEATURE_CRC32)
    fillZeros(crcLongZeros, crcLongBytes);
    fillZeros(crcShortZeros, crcShortBytes);
#endif
    FirnCPULevel highest = FirnLevelAVX512;
    const char *forced = getenv("FIRN_CPU_LEVEL");
    if (forced != NULL && strcmp(forced, "baseline") == 0) highest = FirnLevelBaseline;
    if (forced != NULL && strcmp(forced, "avx2") == 0) highest = FirnLevelAVX2;
    for (int level = (int)highest; level >= 0; level--) {
        const FirnKernels *found = firn_kernels_at((FirnCPULevel)level);
        if (found != NULL) {
            firn_kernels = found;
            return;
        }
    }
}
