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
//
// Wide bins are rare, so a later round is left out where no lane of the row has bits left to take. It would change
// nothing, for a lane that ever took fewer than 16 bits holds more than 16 after every take. Lanes that hold 16, as
// all do in the beginning, might get a word, so a call that finds one leaves no round out.

#define LOCAL TARGET static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")
#define ROLLED _Pragma("clang loop unroll(disable)")

#if LEVEL == 2

// Look-ups in tables that whole-vector permutations hold, for which no load depends on what was decoded.

/// Words `places` of `blockCount` x 32, a power of two; bits of a place above those that count are disregarded.
/// Words that were never filled in are read along and not chosen.
LOCAL __m512i AT_LEVEL(among)(const uint32_t *words, __m512i places, int blockCount) {
    __m512i found[FIRN_NEAR_STATES / 32];
    UNROLLED for (int block = 0; block < blockCount; block++) {
        __m512i low = _mm512_load_si512(words + block * 32), high = _mm512_load_si512(words + block * 32 + 16);
        found[block] = _mm512_permutex2var_epi32(low, places, high);
    }
    UNROLLED for (int step = 1; step < blockCount; step *= 2) {
        __mmask16 isUpper = _mm512_test_epi32_mask(places, _mm512_set1_epi32(32 * step));
        UNROLLED for (int block = 0; block < blockCount; block += 2 * step)
            found[block] = _mm512_mask_mov_epi32(found[block], isUpper, found[block + step]);
    }
    return found[0];
}

/// What to store where `values` are: eight values, or those that are there times the factor, plus these.
LOCAL __m512i AT_LEVEL(joinedWide)(const uint64_t *values, uint64_t factor, __m512i added) {
    if (factor == 0) return added;
    __m512i previous = _mm512_loadu_si512(values);
    if (factor != 1) previous = _mm512_mullo_epi64(previous, _mm512_set1_epi64((long long)factor));
    return _mm512_add_epi64(previous, added);
}

/// What is added to the distances of a row: in each lane the same base, or with sums what they have come to, and the
/// base as often as it has been added since.
typedef struct {
    __m512i low, high;
} AT_LEVEL(Bases);

LOCAL AT_LEVEL(Bases) AT_LEVEL(openBases)(uint64_t base, const uint64_t *sum) {
    const __m512i all = _mm512_set1_epi64((long long)base);
    if (sum == NULL) return (AT_LEVEL(Bases)){all, all};
    const __m512i before = _mm512_set1_epi64((long long)*sum), counts = _mm512_setr_epi64(1, 2, 3, 4, 5, 6, 7, 8);
    __m512i low = _mm512_add_epi64(before, _mm512_mullo_epi64(all, counts));
    return (AT_LEVEL(Bases)){low, _mm512_add_epi64(low, _mm512_slli_epi64(all, 3))};
}

/// Running sums of sixteen words.
LOCAL __m512i AT_LEVEL(sumsOf)(__m512i words) {
    const __m512i zero = _mm512_setzero_si512();
    words = _mm512_add_epi32(words, _mm512_alignr_epi32(words, zero, 15));
    words = _mm512_add_epi32(words, _mm512_alignr_epi32(words, zero, 14));
    words = _mm512_add_epi32(words, _mm512_alignr_epi32(words, zero, 12));
    return _mm512_add_epi32(words, _mm512_alignr_epi32(words, zero, 8));
}

/// Stores the sixteen values that are `distances` from the bases.
LOCAL void AT_LEVEL(storeNear)(AT_LEVEL(Bases) *bases, __m512i distances, uint64_t factor, int isSummed, __m512i step,
                               uint64_t *values) {
    // In pairs, so that the halves of 64 bits are eight values and the eight behind them.
    const __m512i pairs = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    if (isSummed) distances = AT_LEVEL(sumsOf)(distances);
    __m512i paired = _mm512_permutexvar_epi32(pairs, distances);
    __m512i low = _mm512_add_epi64(bases->low, _mm512_and_si512(paired, _mm512_set1_epi64(0xFFFFFFFF)));
    __m512i high = _mm512_add_epi64(bases->high, _mm512_srli_epi64(paired, 32));
    if (isSummed) {
        __m512i total = _mm512_maskz_permutexvar_epi32(0x5555, _mm512_set1_epi32(15), distances);
        total = _mm512_add_epi64(total, step);
        bases->low = _mm512_add_epi64(bases->low, total);
        bases->high = _mm512_add_epi64(bases->high, total);
    }
    _mm512_storeu_si512(values, AT_LEVEL(joinedWide)(values, factor, low));
    _mm512_storeu_si512(values + 8, AT_LEVEL(joinedWide)(values + 8, factor, high));
}

// Models of few states: all sixteen lanes in one vector.

typedef struct {
    __m512i bits, held;
} AT_LEVEL(WideQueue);

LOCAL __m512i AT_LEVEL(takeWide)(const uint16_t **words, AT_LEVEL(WideQueue) *queue, __m512i width) {
    __m512i taken = _mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), width), queue->bits);
    __m512i held = _mm512_sub_epi32(queue->held, width);
    __mmask16 isShort = _mm512_cmplt_epu32_mask(held, _mm512_set1_epi32(17));
    __m512i next = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)*words));
    next = _mm512_maskz_expand_epi32(isShort, next);
    queue->bits = _mm512_or_si512(_mm512_srlv_epi32(queue->bits, width), _mm512_sllv_epi32(next, held));
    queue->held = _mm512_mask_add_epi32(held, isShort, held, _mm512_set1_epi32(16));
    *words += __builtin_popcount(isShort);
    return taken;
}

/// Upper bits, and below them the low `width` bits of others.
LOCAL __m512i AT_LEVEL(joinedBits)(__m512i upper, __m512i bits, __m512i width) {
    return _mm512_ternarylogic_epi32(upper, _mm512_sllv_epi32(_mm512_set1_epi32(-1), width), bits, 0xF2);
}

LOCAL void AT_LEVEL(expandFew)(const FirnBinModel *bins, FirnBinStreams *streams, size_t count, uint64_t factor,
                               uint64_t *sum, uint64_t *values, int rounds, int entryBlocks, int lowerBlocks) {
    const uint32_t *table = bins->table, *distances = bins->distances;
    const uint16_t *symbolsEnd = streams->symbolsEnd, *offsetsEnd = streams->offsetsEnd;
    AT_LEVEL(Bases) bases = AT_LEVEL(openBases)(bins->lowers[0], sum);
    const __m512i step = _mm512_set1_epi64((long long)(bins->lowers[0] * 16));
    const int isSummed = sum != NULL;
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
    AT_LEVEL(WideQueue) symbolQueue, offsetQueue;
    __m512i state = _mm512_loadu_si512(streams->states);
    symbolQueue.bits = _mm512_loadu_si512(streams->symbolQueues.bits);
    symbolQueue.held = _mm512_loadu_si512(streams->symbolQueues.held);
    offsetQueue.bits = _mm512_loadu_si512(streams->offsetQueues.bits);
    offsetQueue.held = _mm512_loadu_si512(streams->offsetQueues.held);
    const int mayStop = _mm512_cmple_epu32_mask(offsetQueue.held, _mm512_set1_epi32(16)) == 0;
    for (size_t index = 0; index < count; index += 16) {
        __m512i entry = AT_LEVEL(among)(table, state, entryBlocks);
        __m512i width = _mm512_and_si512(entry, _mm512_set1_epi32(15));
        // What is added has noughts where the bits are.
        state = AT_LEVEL(joinedBits)(_mm512_srli_epi32(entry, 20), symbolQueue.bits, width);
        AT_LEVEL(takeWide)(&symbols, &symbolQueue, width);
        width = _mm512_and_si512(_mm512_srli_epi32(entry, 4), _mm512_set1_epi32(63));
        __m512i offset = _mm512_setzero_si512();
        UNROLLED for (int round = 0; round < rounds; round++) {
            if (round > 0 && mayStop && _mm512_test_epi32_mask(width, width) == 0) break;
            __m512i now = rounds == 1 ? width : _mm512_min_epu32(width, _mm512_set1_epi32(16));
            __m512i part = AT_LEVEL(takeWide)(&offsets, &offsetQueue, now);
            offset = _mm512_or_si512(offset, _mm512_slli_epi32(part, (unsigned)round * 16));
            width = _mm512_sub_epi32(width, now);
        }
        __m512i distance = AT_LEVEL(among)(distances, _mm512_srli_epi32(entry, 10), lowerBlocks);
        distance = _mm512_add_epi32(distance, offset);
        AT_LEVEL(storeNear)(&bases, distance, factor, isSummed, step, values + index);
        symbols = symbols < symbolsEnd ? symbols : symbolsEnd;
        offsets = offsets < offsetsEnd ? offsets : offsetsEnd;
    }
    streams->symbols = symbols;
    streams->offsets = offsets;
    _mm512_storeu_si512(streams->states, state);
    _mm512_storeu_si512(streams->symbolQueues.bits, symbolQueue.bits);
    _mm512_storeu_si512(streams->symbolQueues.held, symbolQueue.held);
    _mm512_storeu_si512(streams->offsetQueues.bits, offsetQueue.bits);
    _mm512_storeu_si512(streams->offsetQueues.held, offsetQueue.held);
}

TARGET static __attribute__((noinline)) void AT_LEVEL(expandFewRows)(const FirnBinModel *bins, FirnBinStreams *streams,
                                                                     size_t count, uint64_t factor, uint64_t *sum,
                                                                     uint64_t *values) {
#define DISTANCES(rounds, entryBlocks)                                                                                 \
    if (bins->lowerCount <= FIRN_NEAR_BINS / 2)                                                                        \
        AT_LEVEL(expandFew)(bins, streams, count, factor, sum, values, rounds, entryBlocks, 1);                        \
    else                                                                                                               \
        AT_LEVEL(expandFew)(bins, streams, count, factor, sum, values, rounds, entryBlocks, 2);
#define ROUNDS(rounds)                                                                                                 \
    if (bins->stateCount <= FIRN_NEAR_STATES / 4) {                                                                    \
        DISTANCES(rounds, FIRN_NEAR_STATES / 128)                                                                      \
    } else if (bins->stateCount <= FIRN_NEAR_STATES / 2) {                                                             \
        DISTANCES(rounds, FIRN_NEAR_STATES / 64)                                                                       \
    } else {                                                                                                           \
        DISTANCES(rounds, FIRN_NEAR_STATES / 32)                                                                       \
    }
    switch ((bins->widest + 15) / 16) {
    case 0: ROUNDS(0) break;
    case 1: ROUNDS(1) break;
    default: ROUNDS(2) break;
    }
#undef ROUNDS
#undef DISTANCES
}

#endif

#if LEVEL > 0

// Look-ups go through memory and single loads: gathers are slower, on some processors by far. The compiler would take
// the indexes from vector registers one by one, which is slower too, so it must not know what was stored. It is stored
// on a boundary: loads of what went to two cache lines at once would wait for both.
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

LOCAL int AT_LEVEL(holdMany)(__m256i held) {
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(_mm256_set1_epi32(17), held)) == 0;
}

LOCAL int AT_LEVEL(areNought)(__m256i a, __m256i b) {
    __m256i either = _mm256_or_si256(a, b);
    return _mm256_testz_si256(either, either);
}

/// Stores four values, or those that are there times the factor, plus these.
LOCAL void AT_LEVEL(store)(uint64_t *values, uint64_t factor, __m256i added) {
    u64x4 sum = (u64x4)added;
    if (factor == 1) sum += *(const u64x4u *)values;
    if (factor > 1) sum += *(const u64x4u *)values * factor;
    *(u64x4u *)values = sum;
}

// Queues and states of half a row.
typedef struct {
    AT_LEVEL(Queue) symbols, offsets;
    __m256i states;
} AT_LEVEL(Half);

LOCAL void AT_LEVEL(open)(const FirnBinStreams *streams, AT_LEVEL(Half) *halves) {
    UNROLLED for (int half = 0; half < 2; half++) {
        halves[half].states = _mm256_loadu_si256((const __m256i_u *)(streams->states + half * 8));
        halves[half].symbols.bits = _mm256_loadu_si256((const __m256i_u *)(streams->symbolQueues.bits + half * 8));
        halves[half].symbols.held = _mm256_loadu_si256((const __m256i_u *)(streams->symbolQueues.held + half * 8));
        halves[half].offsets.bits = _mm256_loadu_si256((const __m256i_u *)(streams->offsetQueues.bits + half * 8));
        halves[half].offsets.held = _mm256_loadu_si256((const __m256i_u *)(streams->offsetQueues.held + half * 8));
    }
}

LOCAL void AT_LEVEL(close)(const AT_LEVEL(Half) *halves, FirnBinStreams *streams) {
    UNROLLED for (int half = 0; half < 2; half++) {
        _mm256_storeu_si256((__m256i_u *)(streams->states + half * 8), halves[half].states);
        _mm256_storeu_si256((__m256i_u *)(streams->symbolQueues.bits + half * 8), halves[half].symbols.bits);
        _mm256_storeu_si256((__m256i_u *)(streams->symbolQueues.held + half * 8), halves[half].symbols.held);
        _mm256_storeu_si256((__m256i_u *)(streams->offsetQueues.bits + half * 8), halves[half].offsets.bits);
        _mm256_storeu_si256((__m256i_u *)(streams->offsetQueues.held + half * 8), halves[half].offsets.held);
    }
}

/// Goes on to the next states; returns the entries' offset widths.
LOCAL __m256i AT_LEVEL(advance)(const uint16_t **words, AT_LEVEL(Half) *half, __m256i entries) {
    __m256i bits = AT_LEVEL(take)(words, &half->symbols, _mm256_and_si256(entries, _mm256_set1_epi32(15)));
    half->states = _mm256_add_epi32(_mm256_srli_epi32(entries, 20), bits);
    return _mm256_and_si256(_mm256_srli_epi32(entries, 4), _mm256_set1_epi32(63));
}

/// The words of a table of pairs that belong to eight states; those behind them go to `seconds`.
LOCAL __m256i AT_LEVEL(pairsOf)(const uint64_t *table, __m256i states, __m256i *seconds) {
    uint32_t s[8] __attribute__((aligned(32)));
    _mm256_store_si256((__m256i *)s, states);
    THROUGH_MEMORY(s);
    const double *pairs = (const double *)table;
#define PAIRS(a, b) _mm_loadh_pd(_mm_load_sd(pairs + s[a]), pairs + s[b])
    __m256 outer = _mm256_castpd_ps(_mm256_set_m128d(PAIRS(4, 5), PAIRS(0, 1)));
    __m256 inner = _mm256_castpd_ps(_mm256_set_m128d(PAIRS(6, 7), PAIRS(2, 3)));
#undef PAIRS
    *seconds = _mm256_castps_si256(_mm256_shuffle_ps(outer, inner, 0xDD));
    return _mm256_castps_si256(_mm256_shuffle_ps(outer, inner, 0x88));
}

/// Bins near to each other: one load a value brings the entry and the lower bound.
LOCAL void AT_LEVEL(expandNear)(const FirnBinModel *bins, FirnBinStreams *streams, size_t count, uint64_t factor,
                                uint64_t *values, int rounds) {
    const uint64_t *table = bins->nearTable;
    const __m256i base = _mm256_set1_epi64x((long long)bins->lowers[0]);
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
    const uint16_t *symbolsEnd = streams->symbolsEnd, *offsetsEnd = streams->offsetsEnd;
    AT_LEVEL(Half) halves[2];
    AT_LEVEL(open)(streams, halves);
    const int mayStop = AT_LEVEL(holdMany)(halves[0].offsets.held) && AT_LEVEL(holdMany)(halves[1].offsets.held);
    for (size_t index = 0; index < count; index += 16) {
        __m256i width[2], distance[2];
        UNROLLED for (int half = 0; half < 2; half++) {
            __m256i entries = AT_LEVEL(pairsOf)(table, halves[half].states, &distance[half]);
            width[half] = AT_LEVEL(advance)(&symbols, &halves[half], entries);
        }
        UNROLLED for (int round = 0; round < rounds; round++) {
            if (round > 0 && mayStop && AT_LEVEL(areNought)(width[0], width[1])) break;
            UNROLLED for (int half = 0; half < 2; half++) {
                __m256i now = rounds == 1 ? width[half] : _mm256_min_epu32(width[half], _mm256_set1_epi32(16));
                __m256i part = AT_LEVEL(take)(&offsets, &halves[half].offsets, now);
                distance[half] = _mm256_add_epi32(distance[half], round ? _mm256_slli_epi32(part, 16) : part);
                width[half] = _mm256_sub_epi32(width[half], now);
            }
        }
        UNROLLED for (int half = 0; half < 2; half++) {
            __m256i low = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(distance[half]));
            __m256i high = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(distance[half], 1));
            AT_LEVEL(store)(values + index + half * 8, factor, _mm256_add_epi64(low, base));
            AT_LEVEL(store)(values + index + half * 8 + 4, factor, _mm256_add_epi64(high, base));
        }
        symbols = symbols < symbolsEnd ? symbols : symbolsEnd;
        offsets = offsets < offsetsEnd ? offsets : offsetsEnd;
    }
    streams->symbols = symbols;
    streams->offsets = offsets;
    AT_LEVEL(close)(halves, streams);
}

TARGET static __attribute__((noinline)) void AT_LEVEL(expandNearRows)(const FirnBinModel *bins, FirnBinStreams *streams,
                                                                      size_t count, uint64_t factor, uint64_t *values) {
    // Without a factor the loops are their own: looking for one in each row would delay the next.
#define FACTORS(rounds)                                                                                                \
    if (factor == 0)                                                                                                   \
        AT_LEVEL(expandNear)(bins, streams, count, 0, values, rounds);                                                 \
    else                                                                                                               \
        AT_LEVEL(expandNear)(bins, streams, count, factor, values, rounds);
    switch ((bins->widest + 15) / 16) {
    case 0: FACTORS(0) break;
    case 1: FACTORS(1) break;
    default: FACTORS(2) break;
    }
#undef FACTORS
}

LOCAL __m256i AT_LEVEL(entriesOf)(const uint32_t *table, __m256i states) {
    uint32_t s[8] __attribute__((aligned(32)));
    _mm256_store_si256((__m256i *)s, states);
    THROUGH_MEMORY(s);
    return _mm256_setr_epi32((int)table[s[0]], (int)table[s[1]], (int)table[s[2]], (int)table[s[3]], (int)table[s[4]],
                             (int)table[s[5]], (int)table[s[6]], (int)table[s[7]]);
}

LOCAL __m256i AT_LEVEL(lowersOf)(const uint64_t *lowers, __m128i bins) {
    uint32_t b[4] __attribute__((aligned(16)));
    _mm_store_si128((__m128i *)b, bins);
    THROUGH_MEMORY(b);
    return _mm256_setr_epi64x((long long)lowers[b[0]], (long long)lowers[b[1]], (long long)lowers[b[2]],
                              (long long)lowers[b[3]]);
}

LOCAL void AT_LEVEL(expand)(const uint32_t *table, const uint64_t *lowers, FirnBinStreams *streams, size_t count,
                            uint64_t factor, uint64_t *values, int rounds) {
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
    AT_LEVEL(Half) halves[2];
    AT_LEVEL(open)(streams, halves);
    const int mayStop = AT_LEVEL(holdMany)(halves[0].offsets.held) && AT_LEVEL(holdMany)(halves[1].offsets.held);
    for (size_t index = 0; index < count; index += 16) {
        __m256i width[2], bin[2], parts[2][2];
        UNROLLED for (int half = 0; half < 2; half++) {
            __m256i entry = AT_LEVEL(entriesOf)(table, halves[half].states);
            width[half] = AT_LEVEL(advance)(&symbols, &halves[half], entry);
            bin[half] = _mm256_and_si256(_mm256_srli_epi32(entry, 10), _mm256_set1_epi32(1023));
            parts[half][0] = parts[half][1] = _mm256_setzero_si256();
        }
        UNROLLED for (int round = 0; round < rounds; round++) {
            if (round > 0 && mayStop && AT_LEVEL(areNought)(width[0], width[1])) break;
            UNROLLED for (int half = 0; half < 2; half++) {
                __m256i now = rounds == 1 ? width[half] : _mm256_min_epu32(width[half], _mm256_set1_epi32(16));
                __m256i part = AT_LEVEL(take)(&offsets, &halves[half].offsets, now);
                if (round % 2) part = _mm256_slli_epi32(part, 16);
                parts[half][round / 2] = _mm256_or_si256(parts[half][round / 2], part);
                width[half] = _mm256_sub_epi32(width[half], now);
            }
        }
        UNROLLED for (int half = 0; half < 2; half++) {
            __m256i low = AT_LEVEL(lowersOf)(lowers, _mm256_castsi256_si128(bin[half]));
            __m256i high = AT_LEVEL(lowersOf)(lowers, _mm256_extracti128_si256(bin[half], 1));
            UNROLLED for (int part = 0; part < 2; part++) {
                if (rounds <= part * 2) continue;
                __m256i a = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(parts[half][part]));
                __m256i b = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(parts[half][part], 1));
                low = _mm256_add_epi64(low, part ? _mm256_slli_epi64(a, 32) : a);
                high = _mm256_add_epi64(high, part ? _mm256_slli_epi64(b, 32) : b);
            }
            AT_LEVEL(store)(values + index + half * 8, factor, low);
            AT_LEVEL(store)(values + index + half * 8 + 4, factor, high);
        }
        symbols = symbols < streams->symbolsEnd ? symbols : streams->symbolsEnd;
        offsets = offsets < streams->offsetsEnd ? offsets : streams->offsetsEnd;
    }
    streams->symbols = symbols;
    streams->offsets = offsets;
    AT_LEVEL(close)(halves, streams);
}

#undef THROUGH_MEMORY

#else

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

LOCAL void AT_LEVEL(expand)(const uint32_t *table, const uint64_t *lowers, FirnBinStreams *streams, size_t count,
                            uint64_t factor, uint64_t *values, int rounds) {
    AT_LEVEL(Queue) symbolQueues[4], offsetQueues[4];
    AT_LEVEL(open)(&streams->symbolQueues, symbolQueues);
    AT_LEVEL(open)(&streams->offsetQueues, offsetQueues);
    const uint16_t *symbols = streams->symbols, *offsets = streams->offsets;
    const uint16_t *symbolsEnd = streams->symbolsEnd, *offsetsEnd = streams->offsetsEnd;
    uint32_t states[16] __attribute__((aligned(64)));
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
            for (int lane = 0; lane < 4; lane++) {
                uint64_t *value = values + index + four * 4 + lane;
                *value = factor == 0 ? lowers[bin[lane]] : *value * factor + lowers[bin[lane]];
            }
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
TARGET static __attribute__((noinline)) void AT_LEVEL(expandRows)(const FirnBinModel *bins, FirnBinStreams *streams,
                                                                  size_t count, uint64_t factor, uint64_t *values) {
#if LEVEL > 0
    if (bins->nearTable != NULL) {
        AT_LEVEL(expandNearRows)(bins, streams, count, factor, values);
        return;
    }
#endif
    const uint32_t *table = bins->table;
    const uint64_t *lowers = bins->lowers;
    switch ((bins->widest + 15) / 16) {
    case 0: AT_LEVEL(expand)(table, lowers, streams, count, factor, values, 0); break;
    case 1: AT_LEVEL(expand)(table, lowers, streams, count, factor, values, 1); break;
    case 2: AT_LEVEL(expand)(table, lowers, streams, count, factor, values, 2); break;
    case 3: AT_LEVEL(expand)(table, lowers, streams, count, factor, values, 3); break;
    default: AT_LEVEL(expand)(table, lowers, streams, count, factor, values, 4); break;
    }
}

/// Rows of values, or of their sums.
LOCAL void AT_LEVEL(expandSums)(const FirnBinModel *bins, FirnBinStreams *streams, size_t count, uint64_t factor,
                                uint64_t *sum, uint64_t *values) {
#if LEVEL == 2
    if (bins->distances != NULL && bins->stateCount <= FIRN_NEAR_STATES) {
        uint64_t *early = bins->farthest < FIRN_SUMMED_DISTANCES ? sum : NULL;
        AT_LEVEL(expandFewRows)(bins, streams, count, factor, early, values);
        if (early != NULL) return;
    } else
#endif
        AT_LEVEL(expandRows)(bins, streams, count, factor, values);
    if (sum != NULL) AT_LEVEL(prefixSum)((int64_t *)values, count, (int64_t)*sum);
}

TARGET static void AT_LEVEL(expandBins)(const FirnBinModel *bins, FirnBinStreams *restrict streams, size_t count,
                                        uint64_t factor, uint64_t *restrict sum, uint64_t *restrict values) {
    const size_t whole = count / 16 * 16;
    if (whole > 0) {
        AT_LEVEL(expandSums)(bins, streams, whole, factor, sum, values);
        if (sum != NULL) *sum = values[whole - 1];
    }
    if (whole < count) {
        uint64_t row[16] = {0};
        memcpy(row, values + whole, (count - whole) * 8);
        AT_LEVEL(expandSums)(bins, streams, 16, factor, sum, row);
        memcpy(values + whole, row, (count - whole) * 8);
        if (sum != NULL) *sum = values[count - 1];
    }
}

#undef UNROLLED
#undef ROLLED
#undef LOCAL
