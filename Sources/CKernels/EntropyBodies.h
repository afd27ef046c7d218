// SPDX-License-Identifier: Apache-2.0
//
// The decoder of entropy-coded bins, included once per CPU level by KernelBodies.h.
//
// Sixteen lanes, a state each, draw bits from queues of their own. Queues are filled in words of 16 bits from one
// stream, in the order in which lanes run short, so that a row of states is decoded without a branch and nothing
// need say where a lane's bits begin. The states' bits and the offsets have a stream and queues each: what an offset
// takes does not delay the next state. Format: Sources/Firn/Codec/Encodings/BinnedEntropy.swift.
//
// A round takes at most 16 bits from every lane, and the lanes that then hold 16 or fewer get a word: one round for
// the states, then one for each 16 bits of the widest offset. `rounds` is a constant where this is inlined.

#define LOCAL TARGET static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")

#if LEVEL > 0

// Look-ups go through memory and single loads: gathers are slower, on some processors by far. The compiler would take
// the indexes from vector registers one by one, which is slower too, so it must not know what was stored.
#define THROUGH_MEMORY(array) __asm__ volatile("" : "+m"(array))

typedef struct {
    __m256i bits, held;
} AT_LEVEL(Queue);

LOCAL __m256i AT_LEVEL(take)(const uint16_t **words, AT_LEVEL(Queue) *queue, __m256i width) {
    __m256i taken = _mm256_andnot_si256(_mm256_sllv_epi32(_mm256_set1_epi32(-1), width), queue->bits);
    __m256i held = _mm256_sub_epi32(queue->held, width);
    __m256i isShort = _mm256_cmpgt_epi32(_mm256_set1_epi32(17), held);
    uint32_t shortLanes = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(isShort));
    __m256i next = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)*words));
    next = _mm256_shuffle_epi8(next, _mm256_load_si256((const __m256i *)spreadWords[shortLanes]));
    queue->bits = _mm256_or_si256(_mm256_srlv_epi32(queue->bits, width), _mm256_sllv_epi32(next, held));
    queue->held = _mm256_add_epi32(held, _mm256_and_si256(isShort, _mm256_set1_epi32(16)));
    *words += __builtin_popcount(shortLanes);
    return taken;
}

LOCAL __m256i AT_LEVEL(entriesOf)(const uint32_t *table, __m256i states) {
    uint32_t s[8];
    _mm256_storeu_si256((__m256i_u *)s, states);
    THROUGH_MEMORY(s);
    return _mm256_setr_epi32((int)table[s[0]], (int)table[s[1]], (int)table[s[2]], (int)table[s[3]], (int)table[s[4]],
                             (int)table[s[5]], (int)table[s[6]], (int)table[s[7]]);
}

LOCAL __m256i AT_LEVEL(lowersOf)(const uint64_t *lowers, __m128i bins) {
    uint32_t b[4];
    _mm_storeu_si128((__m128i_u *)b, bins);
    THROUGH_MEMORY(b);
    return _mm256_setr_epi64x((long long)lowers[b[0]], (long long)lowers[b[1]], (long long)lowers[b[2]],
                              (long long)lowers[b[3]]);
}

// Lower bounds of few bins lie in registers.
#define IS_FEW (LEVEL == 2 && lowerCount <= FEW_WORDS)

LOCAL void AT_LEVEL(expand)(const uint32_t *table, const uint64_t *lowers, size_t lowerCount, FirnBinStreams *streams,
                            size_t count, uint64_t *values, int rounds, int isFew) {
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
#if LEVEL == 2
    AT_LEVEL(FewWords) few;
    if (isFew) few = AT_LEVEL(loadFew)(lowers, lowerCount);
#endif
    AT_LEVEL(Queue) symbolQueue[2], offsetQueue[2];
    __m256i state[2];
    UNROLLED for (int half = 0; half < 2; half++) {
        state[half] = _mm256_loadu_si256((const __m256i_u *)(streams->states + half * 8));
        symbolQueue[half].bits = _mm256_loadu_si256((const __m256i_u *)(streams->symbolQueues.bits + half * 8));
        symbolQueue[half].held = _mm256_loadu_si256((const __m256i_u *)(streams->symbolQueues.held + half * 8));
        offsetQueue[half].bits = _mm256_loadu_si256((const __m256i_u *)(streams->offsetQueues.bits + half * 8));
        offsetQueue[half].held = _mm256_loadu_si256((const __m256i_u *)(streams->offsetQueues.held + half * 8));
    }
    for (size_t index = 0; index < count; index += 16) {
        __m256i width[2], bin[2], parts[2][2];
        UNROLLED for (int half = 0; half < 2; half++) {
            __m256i entry = AT_LEVEL(entriesOf)(table, state[half]);
            __m256i bits = AT_LEVEL(take)(&symbols, &symbolQueue[half], _mm256_and_si256(entry, _mm256_set1_epi32(15)));
            state[half] = _mm256_add_epi32(_mm256_srli_epi32(entry, 20), bits);
            width[half] = _mm256_and_si256(_mm256_srli_epi32(entry, 4), _mm256_set1_epi32(63));
            bin[half] = _mm256_and_si256(_mm256_srli_epi32(entry, 10), _mm256_set1_epi32(1023));
            parts[half][0] = parts[half][1] = _mm256_setzero_si256();
        }
        UNROLLED for (int round = 0; round < rounds; round++) UNROLLED for (int half = 0; half < 2; half++) {
            __m256i now = rounds == 1 ? width[half] : _mm256_min_epu32(width[half], _mm256_set1_epi32(16));
            __m256i part = AT_LEVEL(take)(&offsets, &offsetQueue[half], now);
            if (round % 2) part = _mm256_slli_epi32(part, 16);
            parts[half][round / 2] = _mm256_or_si256(parts[half][round / 2], part);
            width[half] = _mm256_sub_epi32(width[half], now);
        }
        UNROLLED for (int half = 0; half < 2; half++) {
#if LEVEL == 2
            if (isFew) {
                __m512i row = AT_LEVEL(amongFew)(&few, _mm512_cvtepu32_epi64(bin[half]));
                if (rounds > 0) row = _mm512_add_epi64(row, _mm512_cvtepu32_epi64(parts[half][0]));
                if (rounds > 2) {
                    __m512i upper = _mm512_slli_epi64(_mm512_cvtepu32_epi64(parts[half][1]), 32);
                    row = _mm512_add_epi64(row, upper);
                }
                _mm512_storeu_si512(values + index + half * 8, row);
                continue;
            }
#endif
            __m256i low = AT_LEVEL(lowersOf)(lowers, _mm256_castsi256_si128(bin[half]));
            __m256i high = AT_LEVEL(lowersOf)(lowers, _mm256_extracti128_si256(bin[half], 1));
            UNROLLED for (int part = 0; part < 2; part++) {
                if (rounds <= part * 2) continue;
                __m256i a = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(parts[half][part]));
                __m256i b = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(parts[half][part], 1));
                low = _mm256_add_epi64(low, part ? _mm256_slli_epi64(a, 32) : a);
                high = _mm256_add_epi64(high, part ? _mm256_slli_epi64(b, 32) : b);
            }
            _mm256_storeu_si256((__m256i_u *)(values + index + half * 8), low);
            _mm256_storeu_si256((__m256i_u *)(values + index + half * 8 + 4), high);
        }
        symbols = symbols < streams->symbolsEnd ? symbols : streams->symbolsEnd;
        offsets = offsets < streams->offsetsEnd ? offsets : streams->offsetsEnd;
    }
    streams->symbols = symbols;
    streams->offsets = offsets;
    UNROLLED for (int half = 0; half < 2; half++) {
        _mm256_storeu_si256((__m256i_u *)(streams->states + half * 8), state[half]);
        _mm256_storeu_si256((__m256i_u *)(streams->symbolQueues.bits + half * 8), symbolQueue[half].bits);
        _mm256_storeu_si256((__m256i_u *)(streams->symbolQueues.held + half * 8), symbolQueue[half].held);
        _mm256_storeu_si256((__m256i_u *)(streams->offsetQueues.bits + half * 8), offsetQueue[half].bits);
        _mm256_storeu_si256((__m256i_u *)(streams->offsetQueues.held + half * 8), offsetQueue[half].held);
    }
}

#undef THROUGH_MEMORY

#else

#define IS_FEW 0

// Four lanes at once, in vectors that every target has. A lane's window is the last two words that it was given and
// `used` how many of their bits are taken, at most 16 after a take: of all shifts only one is by a count of each
// lane's own, which SSE2 has not got. Loops stay loops, or the compiler spills what it gains.
typedef struct {
    u32x4 window, used;
} AT_LEVEL(Queue);

LOCAL void AT_LEVEL(open)(const FirnLaneQueues *lanes, AT_LEVEL(Queue) *queues) {
    for (int lane = 0; lane < 16; lane++) {
        queues[lane / 4].used[lane % 4] = 32 - lanes->held[lane];
        queues[lane / 4].window[lane % 4] = lanes->bits[lane] << (32 - lanes->held[lane]);
    }
}

LOCAL void AT_LEVEL(close)(const AT_LEVEL(Queue) *queues, FirnLaneQueues *lanes) {
    for (int lane = 0; lane < 16; lane++) {
        lanes->held[lane] = 32 - queues[lane / 4].used[lane % 4];
        lanes->bits[lane] = queues[lane / 4].window[lane % 4] >> queues[lane / 4].used[lane % 4];
    }
}

LOCAL u32x4 AT_LEVEL(take)(const uint16_t **words, AT_LEVEL(Queue) *queue, u32x4 width) {
    u32x4 window = queue->window, used = queue->used + width;
    // 2^width by way of a float's exponent.
    i32x4 powers = __builtin_convertvector((f32x4)((width << 23) + 0x3F800000u), i32x4);
    u32x4 taken = (window >> queue->used) & ((u32x4)powers - 1);
    u32x4 isShort = (u32x4)((i32x4)used > 15);
    bitx4 bits = __builtin_convertvector((i32x4)isShort, bitx4);
    uint8_t shortLanes;
    memcpy(&shortLanes, &bits, 1);
    shortLanes &= 15;
    const uint8_t *ranks = ranksOfOnes[shortLanes];
    u32x4 next = {(*words)[0], (*words)[ranks[1]], (*words)[ranks[2]], (*words)[ranks[3]]};
    queue->window = (isShort & (window >> 16 | next << 16)) | (~isShort & window);
    queue->used = used - (isShort & 16);
    *words += countsOfOnes[shortLanes];
    return taken;
}

LOCAL void AT_LEVEL(expand)(const uint32_t *table, const uint64_t *lowers, size_t lowerCount, FirnBinStreams *streams,
                            size_t count, uint64_t *values, int rounds, int isFew) {
    AT_LEVEL(Queue) symbolQueues[4], offsetQueues[4];
    AT_LEVEL(open)(&streams->symbolQueues, symbolQueues);
    AT_LEVEL(open)(&streams->offsetQueues, offsetQueues);
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
    const uint16_t *symbolsEnd = streams->symbolsEnd, *offsetsEnd = streams->offsetsEnd;
    uint32_t states[16];
    memcpy(states, streams->states, sizeof states);
    for (size_t index = 0; index < count; index += 16) {
        u32x4 widths[4];
        ROLLED for (int four = 0; four < 4; four++) {
            const uint32_t *s = states + four * 4;
            u32x4 entry = {table[s[0]], table[s[1]], table[s[2]], table[s[3]]};
            u32x4 state = (entry >> 20) + AT_LEVEL(take)(&symbols, &symbolQueues[four], entry & 15);
            memcpy(states + four * 4, &state, sizeof state);
            widths[four] = entry >> 4 & 63;
            u32x4 bin = entry >> 10 & 1023;
            for (int lane = 0; lane < 4; lane++) values[index + four * 4 + lane] = lowers[bin[lane]];
        }
        for (int round = 0; round < rounds; round++) {
            ROLLED for (int four = 0; four < 4; four++) {
                u32x4 isWide = (u32x4)((i32x4)widths[four] > 16);
                u32x4 now = rounds == 1 ? widths[four] : (isWide & 16) | (~isWide & widths[four]);
                u32x4 part = AT_LEVEL(take)(&offsets, &offsetQueues[four], now);
                widths[four] -= now;
                u64x4 wide = __builtin_convertvector(part, u64x4) << (uint64_t)(round * 16);
                *(u64x4u *)(values + index + four * 4) += wide;
            }
        }
        symbols = symbols < symbolsEnd ? symbols : symbolsEnd;
        offsets = offsets < offsetsEnd ? offsets : offsetsEnd;
    }
    streams->symbols = symbols;
    streams->offsets = offsets;
    memcpy(streams->states, states, sizeof states);
    AT_LEVEL(close)(symbolQueues, &streams->symbolQueues);
    AT_LEVEL(close)(offsetQueues, &streams->offsetQueues);
}

#endif

/// `count` is a multiple of 16.
TARGET static __attribute__((noinline)) void AT_LEVEL(expandRows)(const uint32_t *table, const uint64_t *lowers,
                                                                  size_t lowerCount, uint32_t widest,
                                                                  FirnBinStreams *streams, size_t count,
                                                                  uint64_t *values) {
#define ROUNDS(rounds)                                                                                                 \
    if (IS_FEW)                                                                                                        \
        AT_LEVEL(expand)(table, lowers, lowerCount, streams, count, values, rounds, 1);                                \
    else                                                                                                               \
        AT_LEVEL(expand)(table, lowers, lowerCount, streams, count, values, rounds, 0);
    switch ((widest + 15) / 16) {
    case 0: ROUNDS(0) break;
    case 1: ROUNDS(1) break;
    case 2: ROUNDS(2) break;
    case 3: ROUNDS(3) break;
    default: ROUNDS(4) break;
    }
#undef ROUNDS
}

TARGET static void AT_LEVEL(expandBins)(const uint32_t *restrict table, const uint64_t *restrict lowers,
                                        size_t lowerCount, uint32_t widest, FirnBinStreams *restrict streams,
                                        size_t count, uint64_t *restrict values) {
    const size_t whole = count / 16 * 16;
    if (whole > 0) AT_LEVEL(expandRows)(table, lowers, lowerCount, widest, streams, whole, values);
    if (whole < count) {
        uint64_t row[16];
        AT_LEVEL(expandRows)(table, lowers, lowerCount, widest, streams, 16, row);
        memcpy(values + whole, row, (count - whole) * 8);
    }
}

#undef IS_FEW
#undef UNROLLED
#undef ROLLED
#undef LOCAL
