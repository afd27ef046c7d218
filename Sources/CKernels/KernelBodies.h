// SPDX-License-Identifier: Apache-2.0
//
// The bodies of the kernels. Included once per CPU level by CKernels.c, which defines
//
//     TARGET        the attributes that give a function its level
//     AT_LEVEL(x)   the name of x at this level
//     LEVEL         the level
//
// A row is 16 values: two vectors of eight 64-bit lanes. The compiler splits them into what the level has.

#define LOCAL TARGET static inline __attribute__((always_inline))

// Selections, which the compiler turns into minima and maxima where the mask is a comparison of the same two.
LOCAL f64x8 AT_LEVEL(choose)(i64x8 mask, f64x8 a, f64x8 b) {
    return (f64x8)((choice64x8)mask ? (choiceF64x8)a : (choiceF64x8)b);
}
LOCAL i64x8 AT_LEVEL(chooseInteger)(i64x8 mask, i64x8 a, i64x8 b) {
    return (i64x8)((choice64x8)mask ? (choice64x8)a : (choice64x8)b);
}

// MARK: Bit packing (layout: Sources/Firn/Codec/Kernels/BitPacking.swift)

LOCAL uint64_t AT_LEVEL(maskOf)(uint32_t width) { return width >= 64 ? ~0ull : (1ull << width) - 1; }

// The loops over rows, with what is done to a row. Above the baseline each lane is shifted by a count of its own
// though all are equal: shifting by one count takes two operations, and the counts follow by an addition.
#if LEVEL == 0
#define ROW_PIECES 2
typedef u64x8 AT_LEVEL(Piece);
typedef u64x8u AT_LEVEL(StoredPiece);
typedef uint64_t AT_LEVEL(Shift);
#define ALL_LANES(number) (number)
#define SHIFTED_UP(piece, count) ((piece) << (count))
#define SHIFTED_DOWN(piece, count) ((piece) >> (count))
#elif LEVEL == 1
#define ROW_PIECES 4
typedef u64x4 AT_LEVEL(Piece);
typedef u64x4u AT_LEVEL(StoredPiece);
typedef u64x4 AT_LEVEL(Shift);
#define ALL_LANES(number) ((u64x4){0} + (number))
#define SHIFTED_UP(piece, count) (u64x4) _mm256_sllv_epi64((__m256i)(piece), (__m256i)(count))
#define SHIFTED_DOWN(piece, count) (u64x4) _mm256_srlv_epi64((__m256i)(piece), (__m256i)(count))
#else
#define ROW_PIECES 2
typedef u64x8 AT_LEVEL(Piece);
typedef u64x8u AT_LEVEL(StoredPiece);
typedef u64x8 AT_LEVEL(Shift);
#define ALL_LANES(number) ((u64x8){0} + (number))
#define SHIFTED_UP(piece, count) (u64x8) _mm512_sllv_epi64((__m512i)(piece), (__m512i)(count))
#define SHIFTED_DOWN(piece, count) (u64x8) _mm512_srlv_epi64((__m512i)(piece), (__m512i)(count))
#endif
#define PIECE_LANES (16 / ROW_PIECES)

/// STORE(place, piece) takes the masked bits of PIECE_LANES values, the first of which is value `place`.
#define UNPACK_ROWS(STORE)                                                                                             \
    {                                                                                                                  \
        AT_LEVEL(Piece) row[ROW_PIECES] = {{0}}, mask = (AT_LEVEL(Piece)){0} + AT_LEVEL(maskOf)(width);                 \
        AT_LEVEL(Shift) down = ALL_LANES((uint64_t)0);                                                                 \
        const uint8_t *word = packed;                                                                                  \
        uint32_t shift = 0;                                                                                            \
        for (size_t place = 0; place < rowCount * 16 && width == 0; place += 16)                                       \
            for (int i = 0; i < ROW_PIECES; i++) { STORE(place + (size_t)i * PIECE_LANES, row[i]) }                    \
        for (size_t place = 0; place < rowCount * 16 && width > 0; place += 16) {                                      \
            for (int i = 0; i < ROW_PIECES; i++)                                                                       \
                row[i] = SHIFTED_DOWN(((const AT_LEVEL(StoredPiece) *)word)[i], down);                                 \
            shift += width;                                                                                            \
            if (shift > 64) {                                                                                          \
                AT_LEVEL(Shift) up = ALL_LANES((uint64_t)64) - down;                                                   \
                for (int i = 0; i < ROW_PIECES; i++)                                                                   \
                    row[i] |= SHIFTED_UP(((const AT_LEVEL(StoredPiece) *)(word + 128))[i], up);                        \
            }                                                                                                          \
            word += (shift >> 6) * 128;                                                                                \
            shift &= 63;                                                                                               \
            down = (down + ALL_LANES((uint64_t)width)) & ALL_LANES((uint64_t)63);                                      \
            for (int i = 0; i < ROW_PIECES; i++) { STORE(place + (size_t)i * PIECE_LANES, row[i] & mask) }             \
        }                                                                                                              \
    }

TARGET static void AT_LEVEL(unpack)(const void *restrict packed, uint32_t width, size_t rowCount, uint64_t base,
                                    uint64_t *restrict values) {
#define STORE(place, piece) *(AT_LEVEL(StoredPiece) *)(values + (place)) = (piece) + base;
    UNPACK_ROWS(STORE)
#undef STORE
}

TARGET static void AT_LEVEL(unpackNarrow)(const void *restrict packed, uint32_t width, size_t rowCount, uint64_t base,
                                          uint32_t *restrict values) {
#if LEVEL == 1
#define STORE(place, piece) *(u32x4u *)(values + (place)) = __builtin_convertvector((piece) + base, u32x4);
#else
#define STORE(place, piece) *(u32x8u *)(values + (place)) = __builtin_convertvector((piece) + base, u32x8);
#endif
    UNPACK_ROWS(STORE)
#undef STORE
}

TARGET static void AT_LEVEL(pack)(const int64_t *restrict values, size_t count, int64_t base, uint32_t width,
                                  void *restrict packed) {
    if (width == 0) return;
    u64x8 wordA = {0}, wordB = {0}, mask = (u64x8){0} + AT_LEVEL(maskOf)(width);
    uint8_t *out = packed;
    uint32_t shift = 0;
    for (size_t index = 0; index < count; index += 16) {
        u64x8 a, b;
        if (count - index >= 16) {
            a = *(const u64x8u *)(values + index) - (uint64_t)base;
            b = *(const u64x8u *)(values + index + 8) - (uint64_t)base;
        } else {
            uint64_t row[16];
            for (size_t lane = 0; lane < 16; lane++) row[lane] = (uint64_t)base;
            memcpy(row, values + index, (count - index) * 8);
            a = *(const u64x8u *)row - (uint64_t)base;
            b = *(const u64x8u *)(row + 8) - (uint64_t)base;
        }
        a &= mask;
        b &= mask;
        wordA |= a << (uint64_t)shift;
        wordB |= b << (uint64_t)shift;
        shift += width;
        if (shift >= 64) {
            *(u64x8u *)out = wordA;
            *(u64x8u *)(out + 64) = wordB;
            out += 128;
            shift -= 64;
            // What the word had no room for; a shift by 64 would be undefined.
            uint64_t taken = width - shift;
            wordA = shift == 0 ? (u64x8){0} : a >> taken;
            wordB = shift == 0 ? (u64x8){0} : b >> taken;
        }
    }
    if (shift > 0) {
        *(u64x8u *)out = wordA;
        *(u64x8u *)(out + 64) = wordB;
    }
}

// MARK: What an encoder wants to know

TARGET static size_t AT_LEVEL(countAbove)(const int64_t *values, size_t count, int64_t base, uint64_t limit) {
    size_t index = 0, rest = 0;
    i64x8 found = {0};
#if LEVEL == 2
    // Each mask is subtracted as it is; four counts, so that none waits for the one before.
    const __m512i bound = _mm512_set1_epi64((long long)limit), minusOne = _mm512_set1_epi64(-1);
    __m512i counts[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (; index + 32 <= count; index += 32) {
        _Pragma("clang loop unroll(full)") for (size_t part = 0; part < 4; part++) {
            u64x8 residual = *(const u64x8u *)(values + index + part * 8) - (uint64_t)base;
            __mmask8 isAbove = _mm512_cmpgt_epu64_mask((__m512i)residual, bound);
            counts[part] = _mm512_mask_sub_epi64(counts[part], isAbove, counts[part], minusOne);
        }
    }
    found -= (i64x8)counts[0] + (i64x8)counts[1] + (i64x8)counts[2] + (i64x8)counts[3];
#else
    const uint64_t sign = 1ull << 63;
    const i64x8 bound = (i64x8)((u64x8){0} + (limit ^ sign));
    for (; index + 8 <= count; index += 8) {
        u64x8 residual = *(const u64x8u *)(values + index) - (uint64_t)base;
        found += (i64x8)(residual ^ sign) > bound;
    }
#endif
    for (int lane = 0; lane < 8; lane++) rest += (size_t)-found[lane];
    for (; index < count; index++) rest += (uint64_t)values[index] - (uint64_t)base > limit;
    return rest;
}

TARGET static size_t AT_LEVEL(countChanges)(const int64_t *values, size_t count) {
    i64x8 found = {0};
    size_t index = 1, rest = 0;
    for (; index + 8 <= count; index += 8)
        found += *(const i64x8u *)(values + index) != *(const i64x8u *)(values + index - 1);
    for (; index < count; index++) rest += values[index] != values[index - 1];
    for (int lane = 0; lane < 8; lane++) rest += (size_t)-found[lane];
    return rest;
}

TARGET static void AT_LEVEL(extremes)(const int64_t *values, size_t count, int64_t *least, int64_t *greatest) {
    i64x8 min = (i64x8){0} + values[0], max = min;
    size_t index = 0;
    for (; index + 8 <= count; index += 8) {
        i64x8 v = *(const i64x8u *)(values + index);
        min = AT_LEVEL(chooseInteger)(v < min, v, min);
        max = AT_LEVEL(chooseInteger)(v > max, v, max);
    }
    int64_t low = min[0], high = max[0];
    for (int lane = 1; lane < 8; lane++) {
        low = min[lane] < low ? min[lane] : low;
        high = max[lane] > high ? max[lane] : high;
    }
    for (; index < count; index++) {
        low = values[index] < low ? values[index] : low;
        high = values[index] > high ? values[index] : high;
    }
    *least = low;
    *greatest = high;
}

TARGET static int64_t AT_LEVEL(leastFrom)(const int64_t *values, size_t count, int64_t start) {
    const i64x8 from = (i64x8){0} + start, none = (i64x8){0} + INT64_MAX;
    i64x8 min = none;
    size_t index = 0;
    for (; index + 8 <= count; index += 8) {
        i64x8 v = *(const i64x8u *)(values + index);
        v = AT_LEVEL(chooseInteger)(v < from, none, v);
        min = AT_LEVEL(chooseInteger)(v < min, v, min);
    }
    int64_t least = min[0];
    for (int lane = 1; lane < 8; lane++) least = min[lane] < least ? min[lane] : least;
    for (; index < count; index++) least = values[index] >= start && values[index] < least ? values[index] : least;
    return least;
}

TARGET static void AT_LEVEL(differences)(const int64_t *restrict values, size_t count, int64_t *restrict differences) {
    size_t index = 1;
    for (; index + 8 <= count; index += 8)
        *(u64x8u *)(differences + index) = *(const u64x8u *)(values + index) - *(const u64x8u *)(values + index - 1);
    for (; index < count; index++) differences[index] = (int64_t)((uint64_t)values[index] - (uint64_t)values[index - 1]);
    if (count > 0) differences[0] = count > 1 ? differences[1] : 0;
}

TARGET static void AT_LEVEL(scale)(int64_t *values, size_t count, int64_t factor, int64_t base) {
    size_t index = 0;
    for (; index + 8 <= count; index += 8)
        *(u64x8u *)(values + index) = *(const u64x8u *)(values + index) * (uint64_t)factor + (uint64_t)base;
    for (; index < count; index++) values[index] = (int64_t)((uint64_t)values[index] * (uint64_t)factor + (uint64_t)base);
}

TARGET static void AT_LEVEL(join)(int64_t *restrict values, size_t count, int64_t factor,
                                  const int64_t *restrict remainders) {
    size_t index = 0;
    for (; index + 8 <= count; index += 8)
        *(u64x8u *)(values + index) =
            *(const u64x8u *)(values + index) * (uint64_t)factor + *(const u64x8u *)(remainders + index);
    for (; index < count; index++)
        values[index] = (int64_t)((uint64_t)values[index] * (uint64_t)factor + (uint64_t)remainders[index]);
}

// MARK: ALP

LOCAL f64x8 AT_LEVEL(toDouble)(u64x8 integers, double down, double fraction) {
    f64x8 number = (f64x8)(integers + 0x4338000000000000ull) - 6755399441055744.0;
    return number * down * fraction;
}

TARGET static void AT_LEVEL(unpackALP)(const void *restrict packed, uint32_t width, size_t rowCount, int64_t base,
                                       double down, double fraction, double *restrict values) {
    // The base and the bits that make an integer a double are added at once.
    const uint64_t offset = (uint64_t)base + 0x4338000000000000ull;
#if LEVEL == 1
#define NUMBERS f64x4
#else
#define NUMBERS f64x8
#endif
#define STORE(place, piece)                                                                                            \
    *(AT_LEVEL(StoredPiece) *)(values + (place)) =                                                                     \
        (AT_LEVEL(Piece))(((NUMBERS)((piece) + offset) - 6755399441055744.0) * scale * part);
    const NUMBERS scale = (NUMBERS){0} + down, part = (NUMBERS){0} + fraction;
    UNPACK_ROWS(STORE)
#undef STORE
#undef NUMBERS
}

#undef UNPACK_ROWS
#undef ROW_PIECES
#undef PIECE_LANES
#undef ALL_LANES
#undef SHIFTED_UP
#undef SHIFTED_DOWN

TARGET static void AT_LEVEL(decodeALP)(int64_t *values, size_t count, double down, double fraction) {
    size_t index = 0;
    for (; index + 8 <= count; index += 8) {
        f64x8 doubles = AT_LEVEL(toDouble)(*(const u64x8u *)(values + index), down, fraction);
        *(u64x8u *)(values + index) = (u64x8)doubles;
    }
    if (index < count) {
        u64x8 last = {0};
        memcpy(&last, values + index, (count - index) * 8);
        last = (u64x8)AT_LEVEL(toDouble)(last, down, fraction);
        memcpy(values + index, &last, (count - index) * 8);
    }
}

// MARK: Prefix sum

TARGET static void AT_LEVEL(prefixSum)(int64_t *values, size_t count, int64_t carry) {
    uint64_t sum = (uint64_t)carry;
    size_t index = 0;
#if LEVEL > 0
    const u64x8 zero = {0};
    u64x8 carries = zero + sum;
    for (; index + 8 <= count; index += 8) {
        u64x8 v = *(const u64x8u *)(values + index);
        v += __builtin_shufflevector(zero, v, 0, 8, 9, 10, 11, 12, 13, 14);
        v += __builtin_shufflevector(zero, v, 0, 0, 8, 9, 10, 11, 12, 13);
        v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 8, 9, 10, 11);
        u64x8 last = __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);
        *(u64x8u *)(values + index) = v + carries;
        carries += last;
    }
    sum = carries[0];
#endif
    for (; index < count; index++) {
        sum += (uint64_t)values[index];
        values[index] = (int64_t)sum;
    }
}

// MARK: Looking up

#if LEVEL == 2
/// Up to 32 words that registers hold: a look-up takes no load.
typedef struct {
    __m512i parts[4];
} AT_LEVEL(FewWords);

LOCAL AT_LEVEL(FewWords) AT_LEVEL(loadFew)(const void *words, size_t wordCount) {
    AT_LEVEL(FewWords) few;
    uint64_t padded[FEW_WORDS] = {0};
    memcpy(padded, words, wordCount * 8);
    for (int part = 0; part < 4; part++) few.parts[part] = _mm512_loadu_si512(padded + part * 8);
    return few;
}

LOCAL __m512i AT_LEVEL(amongFew)(const AT_LEVEL(FewWords) *few, __m512i places) {
    __m512i low = _mm512_permutex2var_epi64(few->parts[0], places, few->parts[1]);
    __m512i high = _mm512_permutex2var_epi64(few->parts[2], places, few->parts[3]);
    return _mm512_mask_mov_epi64(low, _mm512_test_epi64_mask(places, _mm512_set1_epi64(16)), high);
}
#endif

TARGET static void AT_LEVEL(replaceCodes)(int64_t *restrict codes, size_t count, const int64_t *restrict entries,
                                          size_t entryCount) {
    size_t index = 0;
#if LEVEL == 2
    if (entryCount <= FEW_WORDS) {
        AT_LEVEL(FewWords) few = AT_LEVEL(loadFew)(entries, entryCount);
        for (; index + 8 <= count; index += 8)
            _mm512_storeu_si512(codes + index, AT_LEVEL(amongFew)(&few, _mm512_loadu_si512(codes + index)));
    }
#else
    (void)entryCount;
#endif
    // One by one: gathers are slower, on some processors by far.
    _Pragma("clang loop vectorize(disable) unroll_count(8)") for (; index < count; index++)
        codes[index] = entries[codes[index]];
}

// MARK: Comparing

#if LEVEL == 1

// Vectors of what the level has: of twice that, the compiler narrows and widens masks.
#define INTEGERS i64x4
#define DOUBLES f64x4

LOCAL __m256i AT_LEVEL(narrowed)(i64x4 a, i64x4 b) {
    return _mm256_castps_si256(_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88));
}

/// A bit for each of 32 comparisons, whose lanes are all ones or all zeros. Packing keeps order within 128 bits; the last
/// step joins pairs of these halves.
LOCAL uint32_t AT_LEVEL(bitsOf)(const i64x4 *masks) {
    __m256i low = _mm256_packs_epi32(AT_LEVEL(narrowed)(masks[0], masks[1]), AT_LEVEL(narrowed)(masks[2], masks[3]));
    __m256i high = _mm256_packs_epi32(AT_LEVEL(narrowed)(masks[4], masks[5]), AT_LEVEL(narrowed)(masks[6], masks[7]));
    __m256i bytes = _mm256_packs_epi16(low, high);
    __m128i even = _mm256_castsi256_si128(bytes), odd = _mm256_extracti128_si256(bytes, 1);
    uint32_t lower = (uint32_t)_mm_movemask_epi8(_mm_unpacklo_epi16(even, odd));
    return lower | (uint32_t)_mm_movemask_epi8(_mm_unpackhi_epi16(even, odd)) << 16;
}

#define COMPARE_LOOP(VECTOR, EXPRESSION)                                                                               \
    {                                                                                                                  \
        size_t index = 0;                                                                                              \
        for (; index + 32 <= count; index += 32) {                                                                     \
            i64x4 masks[8];                                                                                            \
            _Pragma("clang loop unroll(full)") for (size_t part = 0; part < 8; part++) {                               \
                VECTOR v;                                                                                              \
                memcpy(&v, values + index + part * 4, sizeof v);                                                       \
                masks[part] = (i64x4)(EXPRESSION);                                                                     \
            }                                                                                                          \
            uint32_t word = AT_LEVEL(bitsOf)(masks);                                                                   \
            memcpy(bitmap + index / 8, &word, 4);                                                                      \
        }                                                                                                              \
        for (; index < count; index += 4) {                                                                            \
            size_t rest = count - index < 4 ? count - index : 4;                                                       \
            VECTOR v = {0};                                                                                            \
            memcpy(&v, values + index, rest * 8);                                                                      \
            uint8_t bits = (uint8_t)_mm256_movemask_pd((__m256d)(EXPRESSION)) & (uint8_t)((1u << rest) - 1);           \
            bitmap[index / 8] = index % 8 == 0 ? bits : (uint8_t)(bitmap[index / 8] | bits << 4);                      \
        }                                                                                                              \
    }

#else

#define INTEGERS i64x8
#define DOUBLES f64x8

LOCAL uint8_t AT_LEVEL(bitsOf)(i64x8 mask) {
    bitx8 bits = __builtin_convertvector(mask, bitx8);
    uint8_t byte;
    memcpy(&byte, &bits, 1);
    return byte;
}

// Mask registers are stored byte by byte, which is what AVX-512 does best; the baseline puts a word together.
#define COMPARE_LOOP(VECTOR, EXPRESSION)                                                                               \
    {                                                                                                                  \
        size_t index = 0;                                                                                              \
        for (; index + 64 <= count; index += 64) {                                                                     \
            uint64_t word = 0;                                                                                         \
            _Pragma("clang loop unroll(full)") for (size_t part = 0; part < 8; part++) {                               \
                VECTOR v;                                                                                              \
                memcpy(&v, values + index + part * 8, sizeof v);                                                       \
                uint8_t bits = AT_LEVEL(bitsOf)((i64x8)(EXPRESSION));                                                  \
                if (LEVEL == 2) bitmap[index / 8 + part] = bits;                                                       \
                word |= (uint64_t)bits << (part * 8);                                                                  \
            }                                                                                                          \
            if (LEVEL < 2) memcpy(bitmap + index / 8, &word, 8);                                                       \
        }                                                                                                              \
        for (; index + 8 <= count; index += 8) {                                                                       \
            VECTOR v;                                                                                                  \
            memcpy(&v, values + index, sizeof v);                                                                      \
            bitmap[index / 8] = AT_LEVEL(bitsOf)((i64x8)(EXPRESSION));                                                 \
        }                                                                                                              \
        if (index < count) {                                                                                           \
            VECTOR v = {0};                                                                                            \
            memcpy(&v, values + index, (count - index) * 8);                                                           \
            bitmap[index / 8] = AT_LEVEL(bitsOf)((i64x8)(EXPRESSION)) & (uint8_t)((1u << (count - index)) - 1);        \
        }                                                                                                              \
    }

#endif

TARGET static void AT_LEVEL(compareInt64)(const int64_t *restrict values, size_t count, FirnComparison comparison,
                                          int64_t constant, uint8_t *restrict bitmap) {
    INTEGERS c = (INTEGERS){0} + constant;
    switch (comparison) {
    case FirnLess: COMPARE_LOOP(INTEGERS, v < c) break;
    case FirnLessOrEqual: COMPARE_LOOP(INTEGERS, v <= c) break;
    case FirnEqual: COMPARE_LOOP(INTEGERS, v == c) break;
    case FirnNotEqual: COMPARE_LOOP(INTEGERS, v != c) break;
    case FirnGreaterOrEqual: COMPARE_LOOP(INTEGERS, v >= c) break;
    case FirnGreater: COMPARE_LOOP(INTEGERS, v > c) break;
    }
}

TARGET static void AT_LEVEL(compareDouble)(const double *restrict values, size_t count, FirnComparison comparison,
                                           double constant, uint8_t *restrict bitmap) {
    DOUBLES c = (DOUBLES){0} + constant;
    switch (comparison) {
    case FirnLess: COMPARE_LOOP(DOUBLES, v < c) break;
    case FirnLessOrEqual: COMPARE_LOOP(DOUBLES, v <= c) break;
    case FirnEqual: COMPARE_LOOP(DOUBLES, v == c) break;
    case FirnNotEqual: COMPARE_LOOP(DOUBLES, v != c) break;
    case FirnGreaterOrEqual: COMPARE_LOOP(DOUBLES, ~(v < c)) break;
    case FirnGreater: COMPARE_LOOP(DOUBLES, ~(v <= c)) break;
    }
}

TARGET static void AT_LEVEL(betweenInt64)(const int64_t *restrict values, size_t count, int64_t low, int64_t high,
                                          uint8_t *restrict bitmap) {
    INTEGERS least = (INTEGERS){0} + low, greatest = (INTEGERS){0} + high;
    COMPARE_LOOP(INTEGERS, (v >= least) & (v <= greatest))
}

#undef INTEGERS
#undef DOUBLES

// MARK: Selecting

TARGET static size_t AT_LEVEL(select)(const uint64_t *restrict bitmap, size_t count, uint32_t first,
                                      uint32_t *restrict indexes) {
    uint32_t *out = indexes;
    for (size_t word = 0; word * 64 < count; word++) {
        uint64_t bits = bitmap[word];
        size_t rest = count - word * 64;
        if (rest < 64) bits &= (1ull << rest) - 1;
        uint32_t base = first + (uint32_t)(word * 64);
        if (bits == 0) continue;
#if LEVEL == 2
        const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        for (int part = 0; part < 4; part++) {
            __mmask16 mask = (__mmask16)(bits >> (part * 16));
            __m512i chosen = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)(base + part * 16)));
            _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(mask, chosen));
            out += __builtin_popcount(mask);
        }
#else
        for (int part = 0; part < 8; part++) {
            uint8_t byte = (uint8_t)(bits >> (part * 8));
            u8x8 places = *(const u8x8 *)placesOfOnes[byte];
            *(u32x8u *)out = __builtin_convertvector(places, u32x8) + (base + part * 8);
            out += countsOfOnes[byte];
        }
#endif
    }
    return (size_t)(out - indexes);
}

// MARK: Aggregates
//
// Value i of a run goes to lane i % 16: accumulator (i / 8) % 2, lane i % 8. At the end the two accumulators are
// added, then lanes 0-3 to 4-7, 0-1 to 2-3, 0 to 1. Lanes without a value add +0.0, which changes nothing.


#define UPPER(v, half) __builtin_shufflevector(v, v, half, half + 1, half + 2, half + 3, 4, 5, 6, 7)

LOCAL double AT_LEVEL(total)(f64x8 a, f64x8 b) {
    f64x8 s = a + b;
    s += UPPER(s, 4);
    s += UPPER(s, 2);
    return s[0] + s[1];
}

LOCAL i64x8 AT_LEVEL(lanesOf)(uint32_t bits) {
#if LEVEL == 2
    uint8_t byte = (uint8_t)bits;
    bitx8 lanes;
    memcpy(&lanes, &byte, 1);
    return -__builtin_convertvector(lanes, i64x8);
#else
    const i64x8 lane = {1, 2, 4, 8, 16, 32, 64, 128};
    return (((i64x8){0} + (int64_t)bits) & lane) != 0;
#endif
}

/// The `rest` < 16 values at `values`, as a row; `readable` says how many may be read there.
LOCAL void AT_LEVEL(tail)(const void *values, size_t rest, size_t readable, i64x8 *a, i64x8 *b) {
    if (readable >= 16) {
        *a = *(const i64x8u *)values;
        *b = *(const i64x8u *)((const int64_t *)values + 8);
    } else {
        int64_t row[16] = {0};
        memcpy(row, values, rest * 8);
        *a = *(const i64x8u *)row;
        *b = *(const i64x8u *)(row + 8);
    }
}

LOCAL uint32_t AT_LEVEL(rowBits)(const uint64_t *validity, size_t row) {
    return (uint32_t)(validity[row / 4] >> (row % 4 * 16)) & 0xFFFF;
}

typedef struct {
    f64x8 sumA, sumB, minA, minB, maxA, maxB;
} AT_LEVEL(DoubleState);

LOCAL void AT_LEVEL(addDoubles)(AT_LEVEL(DoubleState) *state, f64x8 a, f64x8 b) {
    state->sumA += a;
    state->sumB += b;
    state->minA = AT_LEVEL(choose)(a < state->minA, a, state->minA);
    state->maxA = AT_LEVEL(choose)(a > state->maxA, a, state->maxA);
#if LEVEL > 1
    state->minB = AT_LEVEL(choose)(b < state->minB, b, state->minB);
    state->maxB = AT_LEVEL(choose)(b > state->maxB, b, state->maxB);
#else
    // Sixteen registers are too few for more accumulators.
    state->minA = AT_LEVEL(choose)(b < state->minA, b, state->minA);
    state->maxA = AT_LEVEL(choose)(b > state->maxA, b, state->maxA);
#endif
}

LOCAL void AT_LEVEL(addMaskedDoubles)(AT_LEVEL(DoubleState) *state, f64x8 a, f64x8 b, i64x8 inA, i64x8 inB) {
    const f64x8 infinity = (f64x8){0} + INFINITY;
    state->sumA += (f64x8)((i64x8)a & inA);
    state->sumB += (f64x8)((i64x8)b & inB);
    f64x8 least = AT_LEVEL(choose)(inA, a, infinity), greatest = AT_LEVEL(choose)(inA, a, -infinity);
    state->minA = AT_LEVEL(choose)(least < state->minA, least, state->minA);
    state->maxA = AT_LEVEL(choose)(greatest > state->maxA, greatest, state->maxA);
    least = AT_LEVEL(choose)(inB, b, infinity), greatest = AT_LEVEL(choose)(inB, b, -infinity);
    state->minB = AT_LEVEL(choose)(least < state->minB, least, state->minB);
    state->maxB = AT_LEVEL(choose)(greatest > state->maxB, greatest, state->maxB);
}

static int64_t AT_LEVEL(countNaN)(const double *values, size_t count, const uint64_t *validity) {
    int64_t found = 0;
    for (size_t index = 0; index < count; index++)
        found += values[index] != values[index] && (validity == NULL || (validity[index / 64] >> (index % 64) & 1));
    return found;
}

/// Whole rows of a long run; returns how many values they hold. Here they have all registers to themselves, of which
/// AVX2 has just enough.
TARGET static __attribute__((noinline)) size_t AT_LEVEL(addRows)(AT_LEVEL(DoubleState) *state, const double *values,
                                                                 size_t count) {
    AT_LEVEL(DoubleState) all = *state;
    size_t index = 0;
    for (; index + 16 <= count; index += 16)
        AT_LEVEL(addDoubles)(&all, *(const f64x8u *)(values + index), *(const f64x8u *)(values + index + 8));
    *state = all;
    return index;
}

LOCAL void AT_LEVEL(doubleRun)(const double *values, size_t count, size_t readable, const uint64_t *validity,
                               FirnDoubleAggregate *result) {
    f64x8 zero = {0};
    AT_LEVEL(DoubleState) state = {zero, zero, zero + INFINITY, zero + INFINITY, zero - INFINITY, zero - INFINITY};
    size_t index = 0;
    int64_t valid = 0;
    if (validity == NULL) {
        if (LEVEL == 1 && count >= LONG_RUN) index = AT_LEVEL(addRows)(&state, values, count);
        for (; index + 16 <= count; index += 16)
            AT_LEVEL(addDoubles)(&state, *(const f64x8u *)(values + index), *(const f64x8u *)(values + index + 8));
        valid = (int64_t)count;
    } else {
        for (; index + 16 <= count; index += 16) {
            uint32_t bits = AT_LEVEL(rowBits)(validity, index / 16);
            valid += __builtin_popcount(bits);
            AT_LEVEL(addMaskedDoubles)(&state, *(const f64x8u *)(values + index), *(const f64x8u *)(values + index + 8),
                                       AT_LEVEL(lanesOf)(bits), AT_LEVEL(lanesOf)(bits >> 8));
        }
    }
    if (index < count) {
        uint32_t bits = (1u << (count - index)) - 1;
        if (validity != NULL) {
            bits &= AT_LEVEL(rowBits)(validity, index / 16);
            valid += __builtin_popcount(bits);
        }
        i64x8 a, b;
        AT_LEVEL(tail)(values + index, count - index, readable - index, &a, &b);
        AT_LEVEL(addMaskedDoubles)(&state, (f64x8)a, (f64x8)b, AT_LEVEL(lanesOf)(bits), AT_LEVEL(lanesOf)(bits >> 8));
    }
    result->sum = AT_LEVEL(total)(state.sumA, state.sumB);
    f64x8 min = AT_LEVEL(choose)(state.minB < state.minA, state.minB, state.minA);
    f64x8 max = AT_LEVEL(choose)(state.maxB > state.maxA, state.maxB, state.maxA);
    min = AT_LEVEL(choose)(UPPER(min, 4) < min, UPPER(min, 4), min);
    max = AT_LEVEL(choose)(UPPER(max, 4) > max, UPPER(max, 4), max);
    min = AT_LEVEL(choose)(UPPER(min, 2) < min, UPPER(min, 2), min);
    max = AT_LEVEL(choose)(UPPER(max, 2) > max, UPPER(max, 2), max);
    // Adding zero turns -0.0 into 0.0: the two are equal, and which came first depends on the level.
    result->min = (min[1] < min[0] ? min[1] : min[0]) + 0.0;
    result->max = (max[1] > max[0] ? max[1] : max[0]) + 0.0;
    // A NaN among the values makes the sum NaN, so without that there is nothing to count.
    result->nanCount = result->sum == result->sum ? 0 : AT_LEVEL(countNaN)(values, count, validity);
    result->count = valid;
}

typedef struct {
    // Wrapped.
    u64x8 sum;
    i64x8 min, max;
} AT_LEVEL(IntegerState);

LOCAL void AT_LEVEL(addIntegers)(AT_LEVEL(IntegerState) *state, i64x8 a, i64x8 b) {
    state->sum += (u64x8)a + (u64x8)b;
    // Compared with each other first, two rows take three comparisons, not four.
    i64x8 isLess = a < b;
    i64x8 lesser = AT_LEVEL(chooseInteger)(isLess, a, b), greater = AT_LEVEL(chooseInteger)(isLess, b, a);
    state->min = AT_LEVEL(chooseInteger)(lesser < state->min, lesser, state->min);
    state->max = AT_LEVEL(chooseInteger)(greater > state->max, greater, state->max);
}

LOCAL void AT_LEVEL(integerRun)(const int64_t *values, size_t count, size_t readable, const uint64_t *validity,
                                FirnIntegerAggregate *result) {
    i64x8 zero = {0};
    AT_LEVEL(IntegerState) state = {{0}, zero + INT64_MAX, zero + INT64_MIN};
    u64x8 high = {0}, low = {0};
    size_t index = 0;
    int64_t valid = 0;
    if (validity == NULL) {
        for (; index + 16 <= count; index += 16)
            AT_LEVEL(addIntegers)(&state, *(const i64x8u *)(values + index), *(const i64x8u *)(values + index + 8));
        valid = (int64_t)index;
    }
    i64x8 min = state.min, max = state.max;
    u64x8 whole = state.sum;
    const size_t wholeCount = index;
    for (; index < count; index += 8) {
        size_t rest = count - index;
        uint32_t bits = rest >= 8 ? 0xFF : (1u << rest) - 1;
        if (validity != NULL) bits &= (uint32_t)(validity[index / 64] >> (index % 64)) & 0xFF;
        valid += __builtin_popcount(bits);
        i64x8 v = zero;
        if (readable - index >= 8)
            v = *(const i64x8u *)(values + index);
        else
            memcpy(&v, values + index, rest * 8);
        i64x8 in = AT_LEVEL(lanesOf)(bits);
        u64x8 biased = ((u64x8)v ^ (1ull << 63)) & (u64x8)in;
        high += biased >> 32;
        low += biased & 0xFFFFFFFFull;
        min = AT_LEVEL(chooseInteger)((v < min) & in, v, min);
        max = AT_LEVEL(chooseInteger)((v > max) & in, v, max);
    }
    min = AT_LEVEL(chooseInteger)(UPPER(min, 4) < min, UPPER(min, 4), min);
    max = AT_LEVEL(chooseInteger)(UPPER(max, 4) > max, UPPER(max, 4), max);
    min = AT_LEVEL(chooseInteger)(UPPER(min, 2) < min, UPPER(min, 2), min);
    max = AT_LEVEL(chooseInteger)(UPPER(max, 2) > max, UPPER(max, 2), max);
    result->min = min[1] < min[0] ? min[1] : min[0];
    result->max = max[1] > max[0] ? max[1] : max[0];
    // So many values within this bound do not add up to 2^63, so what was added without regard to that is the sum.
    const int64_t bound = wholeCount == 0 ? INT64_MAX : INT64_MAX >> (64 - __builtin_clzll(wholeCount));
    uint64_t shift = 0;
    if (result->min < -bound || result->max > bound) {
        u64x8 upper = {0};
        for (size_t place = 0; place < wholeCount; place += 16) {
            u64x8 a = *(const u64x8u *)(values + place), b = *(const u64x8u *)(values + place + 8);
            upper += ((a ^ (1ull << 63)) >> 32) + ((b ^ (1ull << 63)) >> 32);
        }
        high += upper;
        // The low halves sum up to less than 2^64, so they are what the high ones leave of the wrapped sum. The 2^63
        // that a pair of values was shifted up by is nothing in it.
        low += whole - (upper << 32);
        whole = (u64x8){0};
    } else {
        // As if each value had been shifted up by 2^63.
        shift = (uint64_t)wholeCount << 31;
    }
    high += UPPER(high, 4);
    low += UPPER(low, 4);
    whole += UPPER(whole, 4);
    high += UPPER(high, 2);
    low += UPPER(low, 2);
    whole += UPPER(whole, 2);
    const int64_t sum = (int64_t)(whole[0] + whole[1]);
    result->sumHigh = shift + high[0] + high[1] + (uint64_t)(sum >> 32);
    result->sumLow = low[0] + low[1] + ((uint64_t)sum & 0xFFFFFFFFull);
    result->count = valid;
}

TARGET static void AT_LEVEL(aggregateDouble)(const double *values, size_t count, const uint64_t *validity,
                                             FirnDoubleAggregate *result) {
    AT_LEVEL(doubleRun)(values, count, count, validity, result);
}

TARGET static void AT_LEVEL(aggregateInt64)(const int64_t *values, size_t count, const uint64_t *validity,
                                            FirnIntegerAggregate *result) {
    AT_LEVEL(integerRun)(values, count, count, validity, result);
}

TARGET static void AT_LEVEL(aggregateRunsDouble)(const double *values, const uint32_t *ends, size_t runCount,
                                                 FirnDoubleAggregate *results) {
    size_t start = 0, total = runCount ? ends[runCount - 1] : 0;
    for (size_t run = 0; run < runCount; run++) {
        AT_LEVEL(doubleRun)(values + start, ends[run] - start, total - start, NULL, results + run);
        start = ends[run];
    }
}

TARGET static void AT_LEVEL(aggregateRunsInt64)(const int64_t *values, const uint32_t *ends, size_t runCount,
                                                FirnIntegerAggregate *results) {
    size_t start = 0, total = runCount ? ends[runCount - 1] : 0;
    for (size_t run = 0; run < runCount; run++) {
        AT_LEVEL(integerRun)(values + start, ends[run] - start, total - start, NULL, results + run);
        start = ends[run];
    }
}

// MARK: Sums alone, of values and of squares

/// ADDEND makes what is added of eight raw values and `center`.
#define SUMS(NAME, TYPE, ADDEND)                                                                                       \
    LOCAL double AT_LEVEL(NAME##Run)(const TYPE *values, size_t count, size_t readable, const uint64_t *validity,      \
                                     double center) {                                                                  \
        f64x8 sumA = {0}, sumB = {0};                                                                                  \
        size_t index = 0;                                                                                              \
        if (validity == NULL) {                                                                                        \
            for (; index + 16 <= count; index += 16) {                                                                 \
                sumA += ADDEND(*(const i64x8u *)(values + index), center);                                             \
                sumB += ADDEND(*(const i64x8u *)(values + index + 8), center);                                         \
            }                                                                                                          \
        }                                                                                                              \
        for (; index < count; index += 16) {                                                                           \
            size_t rest = count - index;                                                                               \
            uint32_t bits = rest < 16 ? (1u << rest) - 1 : 0xFFFF;                                                     \
            if (validity != NULL) bits &= AT_LEVEL(rowBits)(validity, index / 16);                                     \
            i64x8 rawA, rawB;                                                                                          \
            if (rest >= 16) {                                                                                          \
                rawA = *(const i64x8u *)(values + index);                                                              \
                rawB = *(const i64x8u *)(values + index + 8);                                                          \
            } else {                                                                                                   \
                AT_LEVEL(tail)(values + index, rest, readable - index, &rawA, &rawB);                                  \
            }                                                                                                          \
            sumA += (f64x8)((i64x8)ADDEND(rawA, center) & AT_LEVEL(lanesOf)(bits));                                    \
            sumB += (f64x8)((i64x8)ADDEND(rawB, center) & AT_LEVEL(lanesOf)(bits >> 8));                               \
        }                                                                                                              \
        return AT_LEVEL(total)(sumA, sumB);                                                                            \
    }

#define SQUARES(NAME, TYPE, ADDEND)                                                                                    \
    SUMS(NAME, TYPE, ADDEND)                                                                                           \
    TARGET static double AT_LEVEL(NAME)(const TYPE *values, size_t count, const uint64_t *validity, double center) {   \
        return AT_LEVEL(NAME##Run)(values, count, count, validity, center);                                            \
    }                                                                                                                  \
    TARGET static void AT_LEVEL(NAME##Runs)(const TYPE *values, const uint32_t *ends, size_t runCount,                 \
                                            const double *centers, double *results) {                                  \
        size_t start = 0, total = runCount ? ends[runCount - 1] : 0;                                                   \
        for (size_t run = 0; run < runCount; run++) {                                                                  \
            results[run] =                                                                                             \
                AT_LEVEL(NAME##Run)(values + start, ends[run] - start, total - start, NULL, centers[run]);             \
            start = ends[run];                                                                                         \
        }                                                                                                              \
    }

LOCAL f64x8 AT_LEVEL(square)(f64x8 number) { return number * number; }

#define VALUE(raw, center) ((f64x8)(raw))
#define SQUARE(raw, center) AT_LEVEL(square)((f64x8)(raw) - (center))
#if LEVEL == 1
// Both halves are exact in doubles, so their sum is rounded once, as a conversion would: high half + 2^84 + 2^63 and
// low half + 2^52 by their bits, less the three powers.
#define CONVERTED(raw)                                                                                                 \
    (((f64x8)(((u64x8)(raw) >> 32) ^ 0x4530000080000000ull) - 0x1.00000801p84) +                                      \
     (f64x8)(((u64x8)(raw) & 0xFFFFFFFFull) | 0x4330000000000000ull))
#else
#define CONVERTED(raw) __builtin_convertvector(raw, f64x8)
#endif
#define CONVERTED_SQUARE(raw, center) AT_LEVEL(square)(CONVERTED(raw) - (center))
SUMS(sumDouble, double, VALUE)
SQUARES(squaresDouble, double, SQUARE)
SQUARES(squaresInt64, int64_t, CONVERTED_SQUARE)
#undef VALUE
#undef SQUARE
#undef CONVERTED
#undef CONVERTED_SQUARE
#undef SUMS
#undef SQUARES
#undef COMPARE_LOOP

TARGET static double AT_LEVEL(sumDouble)(const double *values, size_t count, const uint64_t *validity) {
    return AT_LEVEL(sumDoubleRun)(values, count, count, validity, 0);
}

#undef LOCAL
#include "EntropyBodies.h"

// MARK: The table of this level

static const FirnKernels AT_LEVEL(kernels) = {
    .level = LEVEL,
    .crc32c = CRC32C_BODY,
    .unpack = AT_LEVEL(unpack),
    .unpackNarrow = AT_LEVEL(unpackNarrow),
    .pack = AT_LEVEL(pack),
    .countAbove = AT_LEVEL(countAbove),
    .countChanges = AT_LEVEL(countChanges),
    .extremes = AT_LEVEL(extremes),
    .leastFrom = AT_LEVEL(leastFrom),
    .differences = AT_LEVEL(differences),
    .scale = AT_LEVEL(scale),
    .join = AT_LEVEL(join),
    .unpackALP = AT_LEVEL(unpackALP),
    .decodeALP = AT_LEVEL(decodeALP),
    .prefixSum = AT_LEVEL(prefixSum),
    .replaceCodes = AT_LEVEL(replaceCodes),
    .compareInt64 = AT_LEVEL(compareInt64),
    .compareDouble = AT_LEVEL(compareDouble),
    .betweenInt64 = AT_LEVEL(betweenInt64),
    .select = AT_LEVEL(select),
    .aggregateDouble = AT_LEVEL(aggregateDouble),
    .aggregateInt64 = AT_LEVEL(aggregateInt64),
    .sumDouble = AT_LEVEL(sumDouble),
    .squaresDouble = AT_LEVEL(squaresDouble),
    .squaresInt64 = AT_LEVEL(squaresInt64),
    .aggregateRunsDouble = AT_LEVEL(aggregateRunsDouble),
    .aggregateRunsInt64 = AT_LEVEL(aggregateRunsInt64),
    .squaresRunsDouble = AT_LEVEL(squaresDoubleRuns),
    .squaresRunsInt64 = AT_LEVEL(squaresInt64Runs),
    .expandBins = AT_LEVEL(expandBins),
};

#undef UPPER
