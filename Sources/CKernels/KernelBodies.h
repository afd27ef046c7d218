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

/// TAKE(place) takes the bits of 16 values in `row`, the first of which is value `place`.
#define UNPACK(TAKE)                                                                                                   \
    {                                                                                                                  \
        AT_LEVEL(Piece) row[ROW_PIECES] = {{0}}, mask = (AT_LEVEL(Piece)){0} + AT_LEVEL(maskOf)(width);                \
        AT_LEVEL(Shift) down = ALL_LANES((uint64_t)0);                                                                 \
        const uint8_t *word = packed;                                                                                  \
        uint32_t shift = 0;                                                                                            \
        for (size_t place = 0; place < rowCount * 16 && width == 0; place += 16) { TAKE(place) }                       \
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
            for (int i = 0; i < ROW_PIECES; i++) row[i] &= mask;                                                       \
            TAKE(place)                                                                                                \
        }                                                                                                              \
    }

/// STORE(place, piece) takes the bits of PIECE_LANES values, the first of which is value `place`.
#define STORE_PIECES(place)                                                                                            \
    for (int i = 0; i < ROW_PIECES; i++) { STORE((place) + (size_t)i * PIECE_LANES, row[i]) }

TARGET static void AT_LEVEL(unpack)(const void *restrict packed, uint32_t width, size_t rowCount, uint64_t base,
                                    uint64_t *restrict values) {
#define STORE(place, piece) *(AT_LEVEL(StoredPiece) *)(values + (place)) = (piece) + base;
    UNPACK(STORE_PIECES)
#undef STORE
}

TARGET static void AT_LEVEL(unpackNarrow)(const void *restrict packed, uint32_t width, size_t rowCount, uint64_t base,
                                          uint32_t *restrict values) {
#if LEVEL == 1
#define STORE(place, piece) *(u32x4u *)(values + (place)) = __builtin_convertvector((piece) + base, u32x4);
#else
#define STORE(place, piece) *(u32x8u *)(values + (place)) = __builtin_convertvector((piece) + base, u32x8);
#endif
    UNPACK(STORE_PIECES)
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

TARGET static int64_t AT_LEVEL(leastFrom)(const int64_t *values, size_t count, int64_t start) {
    // Without sign, value - start is least for the value sought, and more for those below the start than for any other.
    // With the sign bit turned over, it is compared as what has a sign.
    const uint64_t offset = (uint64_t)start ^ 1ull << 63;
    size_t index = 0;
#if LEVEL == 0 && defined(__x86_64__)
    // SSE2 does not compare integers of 64 bits.
    int64_t min = INT64_MAX, other = INT64_MAX;
    _Pragma("clang loop vectorize(disable) interleave(disable) unroll_count(4)")
    for (; index + 2 <= count; index += 2) {
        int64_t a = (int64_t)((uint64_t)values[index] - offset), b = (int64_t)((uint64_t)values[index + 1] - offset);
        min = a < min ? a : min;
        other = b < other ? b : other;
    }
    min = other < min ? other : min;
#else
    i64x8 mins = (i64x8){0} + INT64_MAX;
    for (; index + 8 <= count; index += 8) {
        i64x8 v = (i64x8)(*(const u64x8u *)(values + index) - offset);
        mins = AT_LEVEL(chooseInteger)(v < mins, v, mins);
    }
    int64_t min = mins[0];
    for (int lane = 1; lane < 8; lane++) min = mins[lane] < min ? mins[lane] : min;
#endif
    for (; index < count; index++) {
        int64_t v = (int64_t)((uint64_t)values[index] - offset);
        min = v < min ? v : min;
    }
    const int64_t least = (int64_t)((uint64_t)min + offset);
    return least >= start ? least : INT64_MAX;
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

/// Integers below 2^51 as doubles.
LOCAL f64x8 AT_LEVEL(exactNumbers)(u64x8 integers) {
    return (f64x8)(integers + 0x4338000000000000ull) - 6755399441055744.0;
}

LOCAL f64x8 AT_LEVEL(toDouble)(u64x8 integers, double down, double fraction) {
    return AT_LEVEL(exactNumbers)(integers) * down * fraction;
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
    UNPACK(STORE_PIECES)
#undef STORE
}

// MARK: Running sums

#if LEVEL == 0
typedef u64x2 AT_LEVEL(Carries);
#else
typedef AT_LEVEL(Piece) AT_LEVEL(Carries);
#endif

/// Running sums of the lanes, which go on from `carries`; every lane of these becomes the last of them.
LOCAL AT_LEVEL(Piece) AT_LEVEL(addUp)(AT_LEVEL(Piece) v, AT_LEVEL(Carries) *carries) {
#if LEVEL == 0
    u64x2 pairs[4];
    memcpy(pairs, &v, sizeof pairs);
    for (int i = 0; i < 4; i++) {
        pairs[i] += __builtin_shufflevector((u64x2){0}, pairs[i], 0, 2);
        pairs[i] += *carries;
        *carries = __builtin_shufflevector(pairs[i], pairs[i], 1, 1);
    }
    memcpy(&v, pairs, sizeof pairs);
    return v;
#else
    // The carries wait for an addition alone: what is added to them is known before.
#if LEVEL == 1
    v += (u64x4)_mm256_slli_si256((__m256i)v, 8);
    v += (u64x4)_mm256_blend_epi32(_mm256_setzero_si256(), _mm256_permute4x64_epi64((__m256i)v, 0x50), 0xF0);
    const u64x4 last = (u64x4)_mm256_permute4x64_epi64((__m256i)v, 0xFF);
#else
    const u64x8 zero = {0};
    v += __builtin_shufflevector(zero, v, 0, 8, 9, 10, 11, 12, 13, 14);
    v += __builtin_shufflevector(zero, v, 0, 0, 8, 9, 10, 11, 12, 13);
    v += __builtin_shufflevector(zero, v, 0, 0, 0, 0, 8, 9, 10, 11);
    const u64x8 last = __builtin_shufflevector(v, v, 7, 7, 7, 7, 7, 7, 7, 7);
#endif
    v += *carries;
    *carries += last;
    return v;
#endif
}

TARGET static void AT_LEVEL(unpackSumsALP)(const void *restrict packed, uint32_t width, size_t rowCount, uint64_t base,
                                           int64_t carry, double down, double fraction, double *restrict values) {
#define STORE_SUMS(place)                                                                                              \
    for (int i = 0; i < ROW_PIECES; i++) {                                                                             \
        const NUMBERS sums = (NUMBERS)AT_LEVEL(addUp)(row[i] + base, &carries);                                        \
        *(AT_LEVEL(StoredPiece) *)(values + (place) + (size_t)i * PIECE_LANES) =                                       \
            (AT_LEVEL(Piece))((sums - 6755399441055744.0) * scale * part);                                             \
    }
    const NUMBERS scale = (NUMBERS){0} + down, part = (NUMBERS){0} + fraction;
    // The bits that make an integer a double are added once, to the first.
    const uint64_t start = (uint64_t)carry + 0x4338000000000000ull;
    AT_LEVEL(Carries) carries = (AT_LEVEL(Carries)){0} + start;
    UNPACK(STORE_SUMS)
#undef STORE_SUMS
}

TARGET static void AT_LEVEL(prefixSum)(int64_t *values, size_t count, int64_t carry) {
    uint64_t sum = (uint64_t)carry;
    size_t index = 0;
#if LEVEL > 0
    AT_LEVEL(Carries) carries = (AT_LEVEL(Carries)){0} + sum;
    _Pragma("clang loop unroll_count(4)")
    for (const size_t whole = count / PIECE_LANES * PIECE_LANES; index < whole; index += PIECE_LANES) {
        AT_LEVEL(StoredPiece) *piece = (AT_LEVEL(StoredPiece) *)(values + index);
        *piece = AT_LEVEL(addUp)(*piece, &carries);
    }
    sum = carries[0];
#endif
    for (; index < count; index++) {
        sum += (uint64_t)values[index];
        values[index] = (int64_t)sum;
    }
}

#undef NUMBERS
#undef UNPACK
#undef STORE_PIECES
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
    // Gathers are slower, on some processors by far. Stores are what takes longest, so two values share one.
    for (const size_t whole = count / 8 * 8; index < whole; index += 8) {
        int64_t *place = codes + index;
        i64x2 pairs[4];
        _Pragma("clang loop unroll(full)") for (int pair = 0; pair < 4; pair++)
            pairs[pair] = (i64x2){entries[place[pair * 2]], entries[place[pair * 2 + 1]]};
        _Pragma("clang loop unroll(full)") for (int pair = 0; pair < 4; pair++) ((i64x2u *)place)[pair] = pairs[pair];
    }
    _Pragma("clang loop vectorize(disable)") for (; index < count; index++) codes[index] = entries[codes[index]];
}

// MARK: Classes of decimals

/// Which class each number is of: the last that begins at it or before. Classes ascend, and the first begins at 0.
LOCAL u64x8 AT_LEVEL(classesOf)(f64x8 numbers, const FirnDecimalClass *classes, size_t classCount) {
    u64x8 found = {0};
    for (size_t number = 1; number < classCount; number++) {
#if LEVEL == 2
        const __m512d start = _mm512_set1_pd(classes[number].start);
        const __mmask8 reached = _mm512_cmp_pd_mask((__m512d)numbers, start, _CMP_GE_OQ);
        found = (u64x8)_mm512_mask_add_epi64((__m512i)found, reached, (__m512i)found, _mm512_set1_epi64(1));
#else
        found -= (u64x8)(numbers >= (f64x8){0} + classes[number].start);
#endif
    }
    return found;
}

#if LEVEL == 2
/// So many classes fit into one register for each of their parts.
#define CLASSES_OF_A_REGISTER 8

typedef struct {
    __m512d distances, ratios, roundings, exponents;
} AT_LEVEL(FewClasses);

LOCAL AT_LEVEL(FewClasses) AT_LEVEL(loadFewClasses)(const FirnDecimalClass *classes, size_t classCount) {
    double parts[4][CLASSES_OF_A_REGISTER] = {{0}};
    for (size_t number = 0; number < classCount; number++) {
        parts[0][number] = classes[number].distance;
        parts[1][number] = classes[number].ratio;
        parts[2][number] = classes[number].rounding;
        parts[3][number] = classes[number].exponent;
    }
    AT_LEVEL(FewClasses) few = {_mm512_loadu_pd(parts[0]), _mm512_loadu_pd(parts[1]), _mm512_loadu_pd(parts[2]),
                                _mm512_loadu_pd(parts[3])};
    return few;
}
#endif

/// Eight integers to decimals, each by the part of its own class.
LOCAL f64x8 AT_LEVEL(decimalsOfClasses)(u64x8 integers, const FirnDecimalClass *classes, size_t classCount) {
    f64x8 numbers = AT_LEVEL(exactNumbers)(integers);
    const u64x8 places = AT_LEVEL(classesOf)(numbers, classes, classCount);
    f64x2 pairs[4];
    memcpy(pairs, &numbers, sizeof pairs);
    _Pragma("clang loop unroll(full)") for (int pair = 0; pair < 4; pair++) {
        const FirnDecimalClass *a = classes + places[pair * 2], *b = classes + places[pair * 2 + 1];
        const f64x2 rounding = {a->rounding, b->rounding};
        f64x2 decimal = (pairs[pair] + (f64x2){a->distance, b->distance}) * (f64x2){a->ratio, b->ratio};
        decimal = (decimal + rounding) - rounding;
        pairs[pair] = decimal / (f64x2){a->exponent, b->exponent};
    }
    memcpy(&numbers, pairs, sizeof numbers);
    return numbers;
}

TARGET static void AT_LEVEL(decodeClasses)(int64_t *restrict values, size_t count,
                                           const FirnDecimalClass *restrict classes, size_t classCount) {
    size_t index = 0;
#if LEVEL == 2
    if (classCount <= CLASSES_OF_A_REGISTER) {
        AT_LEVEL(FewClasses) few = AT_LEVEL(loadFewClasses)(classes, classCount);
        for (; index + 8 <= count; index += 8) {
            const f64x8 numbers = AT_LEVEL(exactNumbers)(*(const u64x8u *)(values + index));
            const __m512i places = (__m512i)AT_LEVEL(classesOf)(numbers, classes, classCount);
            const f64x8 rounding = (f64x8)_mm512_permutexvar_pd(places, few.roundings);
            f64x8 decimals = (numbers + (f64x8)_mm512_permutexvar_pd(places, few.distances)) *
                             (f64x8)_mm512_permutexvar_pd(places, few.ratios);
            decimals = (decimals + rounding) - rounding;
            *(f64x8u *)(values + index) = decimals / (f64x8)_mm512_permutexvar_pd(places, few.exponents);
        }
    }
#endif
    for (; index + 8 <= count; index += 8)
        *(f64x8u *)(values + index) =
            AT_LEVEL(decimalsOfClasses)(*(const u64x8u *)(values + index), classes, classCount);
    if (index < count) {
        // The others are of the first class, which has a zero.
        u64x8 rest = {0};
        memcpy(&rest, values + index, (count - index) * 8);
        const f64x8 decimals = AT_LEVEL(decimalsOfClasses)(rest, classes, classCount);
        memcpy(values + index, &decimals, (count - index) * 8);
    }
}

// MARK: Comparing

#if LEVEL == 1

// Vectors of what the level has: of twice that, the compiler narrows and widens masks.
#define INTEGERS i64x4
#define DOUBLES f64x4

/// The lower halves of one mask's lanes beside those of the next one's: a blend, for which every port will do.
LOCAL __m256i AT_LEVEL(joined)(i64x4 even, i64x4 odd) {
    return _mm256_blend_epi32((__m256i)even, (__m256i)odd, 0xAA);
}

/// A bit for each of 32 comparisons, whose lanes are all ones or all zeros.
LOCAL uint32_t AT_LEVEL(bitsOf)(const i64x4 *masks) {
    __m256i low = _mm256_packs_epi32(AT_LEVEL(joined)(masks[0], masks[1]), AT_LEVEL(joined)(masks[2], masks[3]));
    __m256i high = _mm256_packs_epi32(AT_LEVEL(joined)(masks[4], masks[5]), AT_LEVEL(joined)(masks[6], masks[7]));
    // Each half has the same two lanes of all masks, those of two neighbours in turns. Quarters of 64 bits go where
    // their masks' lanes shall be, then bytes.
    __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
    const __m256i order = _mm256_setr_epi8(0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15,  //
                                           0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15);
    return (uint32_t)_mm256_movemask_epi8(_mm256_shuffle_epi8(bytes, order));
}

#define COMPARE_LOOP(VECTOR, EXPRESSION)                                                                               \
    {                                                                                                                  \
        size_t index = 0;                                                                                              \
        for (const size_t whole = count / 32 * 32; index < whole; index += 32) {                                       \
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
// Value i of a run goes to lane i % 32: lane i % 8 of vector i / 8 % 4. At the end vectors 0 and 1 take what 2 and 3
// hold, vector 0 takes 1, then lanes 0-3 take 4-7, 0-1 take 2-3, 0 takes 1. A lane begins at +0.0, so adding +0.0 for
// want of a value, or nothing at all, leaves the same bits.
//
// An addition waits for the one before in its lane: so many lanes keep the adders busy. A level adds to no more of them
// at a time than its registers hold, and goes over the rows, which the first cache holds, again for the others.

#define LANES 32
#define LANE_VECTORS (LANES / 8)
/// Vectors of what the level has.
#if LEVEL == 0
typedef choiceF64x2 AT_LEVEL(Doubles);
typedef choice64x2 AT_LEVEL(Integers);
#elif LEVEL == 1
typedef choiceF64x4 AT_LEVEL(Doubles);
typedef choice64x4 AT_LEVEL(Integers);
#else
typedef choiceF64x8 AT_LEVEL(Doubles);
typedef choice64x8 AT_LEVEL(Integers);
#endif
#define LANES_AT_LEVEL (sizeof(AT_LEVEL(Doubles)) / 8)

#define UPPER(v, half) __builtin_shufflevector(v, v, half, half + 1, half + 2, half + 3, 4, 5, 6, 7)

LOCAL double AT_LEVEL(total)(const f64x8 *sums) {
    f64x8 s = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    s += UPPER(s, 4);
    s += UPPER(s, 2);
    return s[0] + s[1];
}

/// Which of eight lanes take part: a mask register where there are any, else ones in those lanes.
#if LEVEL == 2
typedef __mmask8 AT_LEVEL(Lanes);
#else
typedef i64x8 AT_LEVEL(Lanes);
#endif

/// The lanes of vector `part`, for each of which there is a bit in `bits` of a whole row.
LOCAL AT_LEVEL(Lanes) AT_LEVEL(lanesWithin)(uint32_t bits, size_t part) {
#if LEVEL == 2
    return (__mmask8)(bits >> (part * 8));
#else
    // As pairs of 32 bits, which every level compares.
    const u32x16 lanes = (u32x16){1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128, 128} << (uint32_t)(part * 8);
    return (i64x8)((((u32x16){0} + bits) & lanes) == lanes);
#endif
}

/// Eight values, of which above the baseline only those of these lanes are read.
LOCAL i64x8 AT_LEVEL(valuesWithin)(const void *values, AT_LEVEL(Lanes) lanes) {
#if LEVEL == 2
    return (i64x8)_mm512_maskz_loadu_epi64(lanes, values);
#elif LEVEL == 1
    const long long *parts = values;
    i64x4 low = (i64x4)_mm256_maskload_epi64(parts, (__m256i)__builtin_shufflevector(lanes, lanes, 0, 1, 2, 3));
    i64x4 high = (i64x4)_mm256_maskload_epi64(parts + 4, (__m256i)__builtin_shufflevector(lanes, lanes, 4, 5, 6, 7));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
#else
    (void)lanes;
    return *(const i64x8u *)values;
#endif
}

LOCAL f64x8 AT_LEVEL(addWithin)(f64x8 sum, f64x8 addends, AT_LEVEL(Lanes) lanes) {
#if LEVEL == 2
    return (f64x8)_mm512_mask_add_pd((__m512d)sum, lanes, (__m512d)sum, (__m512d)addends);
#else
    return sum + (f64x8)((i64x8)addends & lanes);
#endif
}

/// Where the last `rest` values of a run can be read as vectors, without reading beyond the `readable`.
LOCAL const void *AT_LEVEL(lastRow)(const void *values, size_t rest, size_t readable, int64_t *copy) {
    if (LEVEL > 0 || readable >= LANES) return values;
    memset(copy, 0, LANES * 8);
    return memcpy(copy, values, rest * 8);
}

/// Bits of the last `rest` < LANES values of a run.
LOCAL uint32_t AT_LEVEL(lastBits)(const uint64_t *validity, size_t index, size_t rest) {
    uint32_t bits = (1u << rest) - 1;
    return validity == NULL ? bits : bits & (uint32_t)(validity[index / 64] >> (index % 64));
}

static int64_t AT_LEVEL(countValid)(const uint64_t *validity, size_t count) {
    int64_t found = 0;
    for (size_t word = 0; word < count / 64; word++) found += __builtin_popcountll(validity[word]);
    if (count % 64 != 0) found += __builtin_popcountll(validity[count / 64] & ((1ull << (count % 64)) - 1));
    return found;
}

typedef struct {
    f64x8 sums[LANE_VECTORS];
    f64x8 min, max;
} AT_LEVEL(DoubleState);

LOCAL void AT_LEVEL(addDoubles)(f64x8 *sum, f64x8 *min, f64x8 *max, f64x8 v) {
    *sum += v;
    *min = AT_LEVEL(choose)(v < *min, v, *min);
    *max = AT_LEVEL(choose)(v > *max, v, *max);
}

LOCAL void AT_LEVEL(addDoublesWithin)(f64x8 *sum, f64x8 *min, f64x8 *max, f64x8 v, AT_LEVEL(Lanes) lanes) {
    *sum = AT_LEVEL(addWithin)(*sum, v, lanes);
#if LEVEL == 2
    *min = (f64x8)_mm512_mask_min_pd((__m512d)*min, lanes, (__m512d)v, (__m512d)*min);
    *max = (f64x8)_mm512_mask_max_pd((__m512d)*max, lanes, (__m512d)v, (__m512d)*max);
#else
    // The others become NaN, which is neither less nor greater.
    f64x8 within = (f64x8)((i64x8)v | ~lanes);
    *min = AT_LEVEL(choose)(within < *min, within, *min);
    *max = AT_LEVEL(choose)(within > *max, within, *max);
#endif
}

static int64_t AT_LEVEL(countNaN)(const double *values, size_t count, const uint64_t *validity) {
    int64_t found = 0;
    for (size_t index = 0; index < count; index++)
        found += values[index] != values[index] && (validity == NULL || (validity[index / 64] >> (index % 64) & 1));
    return found;
}

/// Whole rows, all values of which are valid. Minima and maxima have no order to keep: SSE2 has registers for two each.
LOCAL void AT_LEVEL(addWholeRows)(AT_LEVEL(DoubleState) *state, const double *values, size_t count) {
    enum { atOnce = 4, lanesAtOnce = atOnce * LANES_AT_LEVEL, extremesAtOnce = LEVEL == 0 ? 2 : 4 };
    AT_LEVEL(Doubles) mins[extremesAtOnce], maxs[extremesAtOnce];
    for (size_t i = 0; i < extremesAtOnce; i++) {
        mins[i] = (AT_LEVEL(Doubles)){0} + INFINITY;
        maxs[i] = (AT_LEVEL(Doubles)){0} - INFINITY;
    }
    for (size_t lane = 0; lane < LANES; lane += lanesAtOnce) {
        AT_LEVEL(Doubles) sums[atOnce] = {{0}};
        for (size_t index = lane; index < count; index += LANES) {
            _Pragma("clang loop unroll(full)") for (size_t i = 0; i < atOnce; i++) {
                AT_LEVEL(Doubles) v;
                memcpy(&v, values + index + i * LANES_AT_LEVEL, sizeof v);
                sums[i] += v;
                mins[i % extremesAtOnce] = v < mins[i % extremesAtOnce] ? v : mins[i % extremesAtOnce];
                maxs[i % extremesAtOnce] = v > maxs[i % extremesAtOnce] ? v : maxs[i % extremesAtOnce];
            }
        }
        memcpy((double *)state->sums + lane, sums, sizeof sums);
    }
    for (size_t i = 1; i < extremesAtOnce; i++) {
        mins[0] = mins[i] < mins[0] ? mins[i] : mins[0];
        maxs[0] = maxs[i] > maxs[0] ? maxs[i] : maxs[0];
    }
    for (size_t lane = 0; lane < 8; lane += LANES_AT_LEVEL) {
        memcpy((double *)&state->min + lane, mins, sizeof mins[0]);
        memcpy((double *)&state->max + lane, maxs, sizeof maxs[0]);
    }
}

LOCAL void AT_LEVEL(addWholeRowsWithin)(AT_LEVEL(DoubleState) *state, const double *values, size_t count,
                                        const uint64_t *validity) {
    enum { atOnce = LEVEL == 2 ? 4 : 1 };
    for (size_t part = 0; part < LANE_VECTORS; part += atOnce) {
        f64x8 sums[atOnce], mins[atOnce], maxs[atOnce];
        for (size_t i = 0; i < atOnce; i++) {
            sums[i] = (f64x8){0};
            mins[i] = state->min;
            maxs[i] = state->max;
        }
        for (size_t index = part * 8; index < count; index += LANES) {
            const uint32_t bits = (uint32_t)(validity[index / 64] >> (index % 64));
            _Pragma("clang loop unroll(full)") for (size_t i = 0; i < atOnce; i++)
                AT_LEVEL(addDoublesWithin)(sums + i, mins + i, maxs + i, *(const f64x8u *)(values + index + i * 8),
                                           AT_LEVEL(lanesWithin)(bits, i));
        }
        for (size_t i = 0; i < atOnce; i++) {
            state->sums[part + i] = sums[i];
            state->min = AT_LEVEL(choose)(mins[i] < state->min, mins[i], state->min);
            state->max = AT_LEVEL(choose)(maxs[i] > state->max, maxs[i], state->max);
        }
    }
}

LOCAL void AT_LEVEL(doubleRun)(const double *values, size_t count, size_t readable, const uint64_t *validity,
                               FirnDoubleAggregate *result) {
    f64x8 zero = {0};
    AT_LEVEL(DoubleState) state = {{zero, zero, zero, zero}, zero + INFINITY, zero - INFINITY};
    const size_t whole = count / LANES * LANES, rest = count - whole;
    if (whole > 0) {
        if (validity == NULL)
            AT_LEVEL(addWholeRows)(&state, values, whole);
        else
            AT_LEVEL(addWholeRowsWithin)(&state, values, whole, validity);
    }
    if (rest > 0) {
        int64_t copy[LANES];
        const double *last = AT_LEVEL(lastRow)(values + whole, rest, readable - whole, copy);
        const uint32_t bits = AT_LEVEL(lastBits)(validity, whole, rest);
        _Pragma("clang loop unroll(full)") for (size_t part = 0; part < LANE_VECTORS; part++) {
            if (part % 2 == 0 && part * 8 >= rest) break;
            if (part < 2 && rest >= 16 && validity == NULL) {
                AT_LEVEL(addDoubles)(state.sums + part, &state.min, &state.max, *(const f64x8u *)(last + part * 8));
                continue;
            }
            AT_LEVEL(Lanes) lanes = AT_LEVEL(lanesWithin)(bits, part);
            f64x8 v = (f64x8)AT_LEVEL(valuesWithin)(last + part * 8, lanes);
            AT_LEVEL(addDoublesWithin)(state.sums + part, &state.min, &state.max, v, lanes);
        }
    }
    result->sum = AT_LEVEL(total)(state.sums);
    f64x8 min = state.min, max = state.max;
    min = AT_LEVEL(choose)(UPPER(min, 4) < min, UPPER(min, 4), min);
    max = AT_LEVEL(choose)(UPPER(max, 4) > max, UPPER(max, 4), max);
    min = AT_LEVEL(choose)(UPPER(min, 2) < min, UPPER(min, 2), min);
    max = AT_LEVEL(choose)(UPPER(max, 2) > max, UPPER(max, 2), max);
    // Adding zero turns -0.0 into 0.0: the two are equal, and which came first depends on the level.
    result->min = (min[1] < min[0] ? min[1] : min[0]) + 0.0;
    result->max = (max[1] > max[0] ? max[1] : max[0]) + 0.0;
    // A NaN among the values makes the sum NaN, so without that there is nothing to count.
    result->nanCount = result->sum == result->sum ? 0 : AT_LEVEL(countNaN)(values, count, validity);
    result->count = validity == NULL ? (int64_t)count : AT_LEVEL(countValid)(validity, count);
}

typedef struct {
    // Wrapped.
    uint64_t sum;
    int64_t min, max;
} AT_LEVEL(IntegerState);

#if LEVEL == 0 && defined(__x86_64__)

/// Adds values from the first on, 64 at a time, while all are within 2^51 of it; returns how many those are.
///
/// SSE2 does not compare integers of 64 bits, but it does doubles, of which a distance of 52 bits is the low part.
LOCAL size_t AT_LEVEL(addNearIntegers)(AT_LEVEL(IntegerState) *state, const int64_t *values, size_t count) {
    // At either end, what is near by a difference that wraps may be the farthest.
    if (count < 64 || values[0] < INT64_MIN + (1ll << 51) || values[0] > INT64_MAX - (1ll << 51)) return 0;
    const uint64_t base = (uint64_t)values[0] - (1ull << 51);
    const double zero = 0x1p52;
    uint64_t zeroBits;
    memcpy(&zeroBits, &zero, 8);
    choiceF64x2 mins[2], maxs[2];
    choice64x2 sums[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        mins[i] = (choiceF64x2){0} + 2 * zero;
        maxs[i] = (choiceF64x2){0} + zero;
    }
    size_t index = 0;
    for (; index + 64 <= count; index += 64) {
        choiceF64x2 newMins[2] = {mins[0], mins[1]}, newMaxs[2] = {maxs[0], maxs[1]};
        choice64x2 newSums[2] = {sums[0], sums[1]}, all = {0};
        for (size_t place = index; place < index + 64; place += 4) {
            _Pragma("clang loop unroll(full)") for (size_t i = 0; i < 2; i++) {
                choice64x2 distance;
                memcpy(&distance, values + place + 2 * i, sizeof distance);
                distance -= (int64_t)base;
                all |= distance;
                newSums[i] += distance;
                choiceF64x2 number = (choiceF64x2)(distance | (int64_t)zeroBits);
                newMins[i] = number < newMins[i] ? number : newMins[i];
                newMaxs[i] = number > newMaxs[i] ? number : newMaxs[i];
            }
        }
        if ((uint64_t)(all[0] | all[1]) >> 52 != 0) break;
        for (int i = 0; i < 2; i++) {
            mins[i] = newMins[i];
            maxs[i] = newMaxs[i];
            sums[i] = newSums[i];
        }
    }
    if (index == 0) return 0;
    mins[0] = mins[1] < mins[0] ? mins[1] : mins[0];
    maxs[0] = maxs[1] > maxs[0] ? maxs[1] : maxs[0];
    sums[0] += sums[1];
    const double least = mins[0][1] < mins[0][0] ? mins[0][1] : mins[0][0];
    const double greatest = maxs[0][1] > maxs[0][0] ? maxs[0][1] : maxs[0][0];
    state->sum = (uint64_t)sums[0][0] + (uint64_t)sums[0][1] + index * base;
    state->min = (int64_t)((uint64_t)(least - zero) + base);
    state->max = (int64_t)((uint64_t)(greatest - zero) + base);
    return index;
}

LOCAL void AT_LEVEL(addInteger)(AT_LEVEL(IntegerState) *state, int64_t value) {
    state->sum += (uint64_t)value;
    state->min = value < state->min ? value : state->min;
    state->max = value > state->max ? value : state->max;
}

/// Those far apart are taken one by one, with two states, so that a value does not wait for the one before.
LOCAL AT_LEVEL(IntegerState) AT_LEVEL(addIntegers)(const int64_t *values, size_t count, size_t readable,
                                                   const uint64_t *validity) {
    (void)readable;
    AT_LEVEL(IntegerState) a = {0, INT64_MAX, INT64_MIN}, b = a;
    if (validity == NULL) {
        size_t index = AT_LEVEL(addNearIntegers)(&b, values, count);
        _Pragma("clang loop vectorize(disable) interleave(disable) unroll_count(2)")
        for (; index + 2 <= count; index += 2) {
            AT_LEVEL(addInteger)(&a, values[index]);
            AT_LEVEL(addInteger)(&b, values[index + 1]);
        }
        if (index < count) AT_LEVEL(addInteger)(&a, values[index]);
    } else {
        for (size_t index = 0; index < count; index += 64) {
            uint64_t bits = validity[index / 64];
            if (count - index < 64) bits &= (1ull << (count - index)) - 1;
            for (; bits != 0; bits &= bits - 1)
                AT_LEVEL(addInteger)(&a, values[index + (size_t)__builtin_ctzll(bits)]);
        }
    }
    a.sum += b.sum;
    a.min = b.min < a.min ? b.min : a.min;
    a.max = b.max > a.max ? b.max : a.max;
    return a;
}

#else

LOCAL AT_LEVEL(IntegerState) AT_LEVEL(addIntegers)(const int64_t *values, size_t count, size_t readable,
                                                   const uint64_t *validity) {
    enum { pairs = 8 / LANES_AT_LEVEL };
    AT_LEVEL(Integers) sums[pairs], mins[pairs], maxs[pairs];
    for (size_t i = 0; i < pairs; i++) {
        sums[i] = (AT_LEVEL(Integers)){0};
        mins[i] = (AT_LEVEL(Integers)){0} + INT64_MAX;
        maxs[i] = (AT_LEVEL(Integers)){0} + INT64_MIN;
    }
    const size_t whole = validity == NULL ? count / 16 * 16 : 0;
    for (size_t index = 0; index < whole; index += 16) {
        _Pragma("clang loop unroll(full)") for (size_t i = 0; i < pairs; i++) {
            AT_LEVEL(Integers) a, b;
            memcpy(&a, values + index + 2 * i * LANES_AT_LEVEL, sizeof a);
            memcpy(&b, values + index + (2 * i + 1) * LANES_AT_LEVEL, sizeof b);
            // Compared with each other first, two vectors take three comparisons, not four.
            AT_LEVEL(Integers) both = a + b, lesser = a < b ? a : b, greater = both - lesser;
            sums[i] += both;
            mins[i] = lesser < mins[i] ? lesser : mins[i];
            maxs[i] = greater > maxs[i] ? greater : maxs[i];
        }
    }
    i64x8 sum, min, max;
    memcpy(&sum, sums, sizeof sum);
    memcpy(&min, mins, sizeof min);
    memcpy(&max, maxs, sizeof max);
    for (size_t index = whole; index < count; index += 8) {
        const size_t rest = count - index;
        uint32_t bits = rest >= 8 ? 0xFF : (1u << rest) - 1;
        if (validity != NULL) bits &= (uint32_t)(validity[index / 64] >> (index % 64));
        AT_LEVEL(Lanes) lanes = AT_LEVEL(lanesWithin)(bits, 0);
        int64_t copy[LANES];
        i64x8 v = rest >= 8 ? *(const i64x8u *)(values + index)
                            : AT_LEVEL(valuesWithin)(
                                  AT_LEVEL(lastRow)(values + index, rest, readable - index, copy), lanes);
#if LEVEL == 2
        sum = (i64x8)_mm512_mask_add_epi64((__m512i)sum, lanes, (__m512i)sum, (__m512i)v);
        min = (i64x8)_mm512_mask_min_epi64((__m512i)min, lanes, (__m512i)min, (__m512i)v);
        max = (i64x8)_mm512_mask_max_epi64((__m512i)max, lanes, (__m512i)max, (__m512i)v);
#else
        sum += v & lanes;
        min = AT_LEVEL(chooseInteger)((v < min) & lanes, v, min);
        max = AT_LEVEL(chooseInteger)((v > max) & lanes, v, max);
#endif
    }
    min = AT_LEVEL(chooseInteger)(UPPER(min, 4) < min, UPPER(min, 4), min);
    max = AT_LEVEL(chooseInteger)(UPPER(max, 4) > max, UPPER(max, 4), max);
    min = AT_LEVEL(chooseInteger)(UPPER(min, 2) < min, UPPER(min, 2), min);
    max = AT_LEVEL(chooseInteger)(UPPER(max, 2) > max, UPPER(max, 2), max);
    sum += UPPER(sum, 4);
    sum += UPPER(sum, 2);
    return (AT_LEVEL(IntegerState)){(uint64_t)sum[0] + (uint64_t)sum[1], min[1] < min[0] ? min[1] : min[0],
                                    max[1] > max[0] ? max[1] : max[0]};
}

#endif

/// The sum of the high halves of values shifted up by 2^63.
TARGET static __attribute__((noinline)) uint64_t AT_LEVEL(highHalves)(const int64_t *values, size_t count,
                                                                      const uint64_t *validity) {
    const uint64_t sign = 1ull << 63;
    u64x8 sums = {0};
    size_t index = 0;
    _Pragma("clang loop unroll_count(2)") for (; index + 8 <= count; index += 8) {
        u64x8 halves = (*(const u64x8u *)(values + index) ^ sign) >> 32;
        if (validity != NULL) {
            const uint32_t bits = (uint32_t)(validity[index / 64] >> (index % 64));
#if LEVEL == 2
            halves = (u64x8)_mm512_maskz_mov_epi64(AT_LEVEL(lanesWithin)(bits, 0), (__m512i)halves);
#else
            halves &= (u64x8)AT_LEVEL(lanesWithin)(bits, 0);
#endif
        }
        sums += halves;
    }
    uint64_t sum = 0;
    for (int lane = 0; lane < 8; lane++) sum += sums[lane];
    for (; index < count; index++)
        if (validity == NULL || (validity[index / 64] >> (index % 64) & 1))
            sum += ((uint64_t)values[index] ^ sign) >> 32;
    return sum;
}

LOCAL void AT_LEVEL(integerRun)(const int64_t *values, size_t count, size_t readable, const uint64_t *validity,
                                FirnIntegerAggregate *result) {
    const AT_LEVEL(IntegerState) state = AT_LEVEL(addIntegers)(values, count, readable, validity);
    const uint64_t valid = validity == NULL ? count : (uint64_t)AT_LEVEL(countValid)(validity, count);
    result->min = state.min;
    result->max = state.max;
    result->count = (int64_t)valid;
    // So many values within this bound do not add up to 2^63, so what was added without regard to that is the sum.
    const int64_t bound = valid == 0 ? INT64_MAX : INT64_MAX >> (64 - __builtin_clzll(valid));
    if (state.min < -bound || state.max > bound) {
        // The low halves sum up to less than 2^64, so they are what the high ones leave of the wrapped sum.
        const uint64_t high = AT_LEVEL(highHalves)(values, count, validity);
        result->sumHigh = high;
        result->sumLow = state.sum + (valid << 63) - (high << 32);
    } else {
        // As if each value had been shifted up by 2^63.
        result->sumHigh = (valid << 31) + (uint64_t)((int64_t)state.sum >> 32);
        result->sumLow = state.sum & 0xFFFFFFFFull;
    }
}

TARGET static void AT_LEVEL(extremes)(const int64_t *values, size_t count, int64_t *least, int64_t *greatest) {
    const AT_LEVEL(IntegerState) state = AT_LEVEL(addIntegers)(values, count, count, NULL);
    *least = state.min;
    *greatest = state.max;
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

/// The whole rows of a run. ADDED makes the next of `some[i]`, sums, and `raw`, eight values: vector `i` from `row` on.
#define SUM_ROWS(ADDED)                                                                                                \
    for (size_t part = 0; part < LANE_VECTORS; part += sumsAtOnce) {                                                   \
        f64x8 some[sumsAtOnce] = {{0}};                                                                                \
        for (size_t row = part * 8; row < whole; row += LANES) {                                                       \
            _Pragma("clang loop unroll(full)") for (size_t i = 0; i < sumsAtOnce; i++) {                               \
                const i64x8 raw = *(const i64x8u *)(values + row + i * 8);                                             \
                some[i] = ADDED;                                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t i = 0; i < sumsAtOnce; i++) sums[part + i] = some[i];                                              \
    }

/// ADDEND makes what is added of eight raw values and `center`.
#define SUMS(NAME, TYPE, ADDEND)                                                                                       \
    LOCAL double AT_LEVEL(NAME##Run)(const TYPE *values, size_t count, size_t readable, const uint64_t *validity,      \
                                     double center) {                                                                  \
        enum { sumsAtOnce = LEVEL == 0 ? 2 : 4 };                                                                      \
        f64x8 sums[LANE_VECTORS] = {{0}, {0}, {0}, {0}};                                                               \
        const size_t whole = count / LANES * LANES, rest = count - whole;                                              \
        (void)center;                                                                                                  \
        if (whole > 0 && validity == NULL) {                                                                           \
            SUM_ROWS(some[i] + ADDEND(raw, center))                                                                    \
        } else if (whole > 0) {                                                                                        \
            SUM_ROWS(AT_LEVEL(addWithin)(some[i], ADDEND(raw, center),                                                 \
                                         AT_LEVEL(lanesWithin)((uint32_t)(validity[row / 64] >> (row % 64)), i)))      \
        }                                                                                                              \
        if (rest > 0) {                                                                                                \
            int64_t copy[LANES];                                                                                       \
            const TYPE *last = AT_LEVEL(lastRow)(values + whole, rest, readable - whole, copy);                        \
            const uint32_t bits = AT_LEVEL(lastBits)(validity, whole, rest);                                           \
            _Pragma("clang loop unroll(full)") for (size_t part = 0; part < LANE_VECTORS; part++) {                    \
                if (part % 2 == 0 && part * 8 >= rest) break;                                                          \
                if (part < 2 && rest >= 16 && validity == NULL) {                                                      \
                    sums[part] += ADDEND(*(const i64x8u *)(last + part * 8), center);                                  \
                    continue;                                                                                          \
                }                                                                                                      \
                AT_LEVEL(Lanes) lanes = AT_LEVEL(lanesWithin)(bits, part);                                             \
                i64x8 raw = AT_LEVEL(valuesWithin)(last + part * 8, lanes);                                            \
                sums[part] = AT_LEVEL(addWithin)(sums[part], ADDEND(raw, center), lanes);                              \
            }                                                                                                          \
        }                                                                                                              \
        return AT_LEVEL(total)(sums);                                                                                  \
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
#undef SUM_ROWS
#undef SQUARES
#undef COMPARE_LOOP
#undef LANES
#undef LANE_VECTORS
#undef LANES_AT_LEVEL

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
    .unpackSumsALP = AT_LEVEL(unpackSumsALP),
    .prefixSum = AT_LEVEL(prefixSum),
    .replaceCodes = AT_LEVEL(replaceCodes),
    .decodeClasses = AT_LEVEL(decodeClasses),
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
