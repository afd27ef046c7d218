// SPDX-License-Identifier: Apache-2.0
//
// The few loops that Swift cannot write fast enough, because it has no target attribute for one function.
//
// Each has one body, instantiated per CPU level (baseline, AVX2, AVX-512); the level is chosen once, when the
// program starts. FIRN_CPU_LEVEL=baseline|avx2|avx512 lowers it. Every level gives the same bits: doubles are
// added in a fixed order over 32 lanes and never contracted. The Swift references are in Sources/Firn/Codec/Kernels.

#ifndef FIRN_CKERNELS_H
#define FIRN_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

typedef enum { FirnLevelBaseline = 0, FirnLevelAVX2 = 1, FirnLevelAVX512 = 2 } FirnCPULevel;

typedef enum {
    FirnLess = 0,
    FirnLessOrEqual = 1,
    FirnEqual = 2,
    FirnNotEqual = 3,
    FirnGreaterOrEqual = 4,
    FirnGreater = 5
} FirnComparison;

/// Of doubles: NaN takes part in `sum` but not in `min` and `max`, which are +inf and -inf where nothing else is;
/// neither is -0.0.
typedef struct {
    double sum;
    double min;
    double max;
    int64_t nanCount;
    int64_t count;
} FirnDoubleAggregate;

/// The sum is sumHigh * 2^32 + sumLow - count * 2^63 in 128 bits; min and max are INT64_MAX and INT64_MIN of nothing.
typedef struct {
    uint64_t sumHigh;
    uint64_t sumLow;
    int64_t min;
    int64_t max;
    int64_t count;
} FirnIntegerAggregate;

/// Bits that sixteen lanes hold, low ones first, and how many each has.
typedef struct {
    uint32_t bits[16];
    uint32_t held[16];
} FirnLaneQueues;

/// An entropy-coded page: the words of the states' bits, those of the offsets, and how far both are decoded. 256 zero
/// bytes follow each end.
typedef struct {
    const uint16_t *symbols, *symbolsEnd;
    const uint16_t *offsets, *offsetsEnd;
    FirnLaneQueues symbolQueues, offsetQueues;
    uint32_t states[16];
} FirnBinStreams;

/// Bins whose distances whole-vector permutations look up.
#define FIRN_NEAR_BINS 64
/// States up to which permutations beat loads.
#define FIRN_NEAR_STATES 256
/// Distances of which 16 are summed up in 32 bits.
#define FIRN_SUMMED_DISTANCES (1u << 28)

/// What the states of entropy-coded values mean.
typedef struct {
    /// An entry for each state (firn_bin_entry): its bin is below `lowerCount`, what it adds to its bits is a state.
    /// On a boundary of 64 bytes, and FIRN_NEAR_STATES words may be read, however few count.
    const uint32_t *table;
    size_t stateCount;
    /// The lower bound of each bin.
    const uint64_t *lowers;
    size_t lowerCount;
    /// Bits of the widest offset.
    uint32_t widest;
    /// Of bins which all lie within 2^32 of the first, offsets included, so that 32 bits tell values apart: the entries
    /// again, and in the upper half of each how far its bin's lower bound is from the first. Else null.
    const uint64_t *nearTable;
    /// Those distances by bin, FIRN_NEAR_BINS words on a boundary of 64 bytes; null where there are more bins.
    const uint32_t *distances;
    /// Where `nearTable` is not null: how far from the first lower bound a value can be.
    uint32_t farthest;
} FirnBinModel;

/// What doubles do to the integers of one class: ((integer + distance) * ratio, rounded by adding and taking away
/// `rounding`) / exponent.
typedef struct {
    /// First integer of the class.
    double start;
    double distance;
    double ratio;
    double rounding;
    double exponent;
} FirnDecimalClass;

/// `validity` is a bitmap, bit i of which belongs to value i, or null when every value counts. Run k covers
/// values ends[k-1] ..< ends[k]; the last end is the count of values that may be read.
typedef struct {
    FirnCPULevel level;
    /// `seed` and the result are finished checksums: chain by passing one as the other.
    uint32_t (*crc32c)(const void *bytes, size_t byteCount, uint32_t seed);
    /// Unpacks rows of 16 values and adds `base`; reads and writes whole rows and nothing beyond.
    void (*unpack)(const void *packed, uint32_t width, size_t rowCount, uint64_t base, uint64_t *values);
    /// The same, keeping the low 32 bits of each value.
    void (*unpackNarrow)(const void *packed, uint32_t width, size_t rowCount, uint64_t base, uint32_t *values);
    /// Packs the low `width` bits of value - base; the rest of the last row is zero.
    void (*pack)(const int64_t *values, size_t count, int64_t base, uint32_t width, void *packed);
    /// How many of value - base, unsigned, exceed `limit`.
    size_t (*countAbove)(const int64_t *values, size_t count, int64_t base, uint64_t limit);
    /// How many values differ from the one before.
    size_t (*countChanges)(const int64_t *values, size_t count);
    /// Smallest and largest of at least one value.
    void (*extremes)(const int64_t *values, size_t count, int64_t *least, int64_t *greatest);
    /// Smallest value that is `start` or more; INT64_MAX where there is none.
    int64_t (*leastFrom)(const int64_t *values, size_t count, int64_t start);
    /// Differences to the value before; the first repeats the second, or is 0.
    void (*differences)(const int64_t *values, size_t count, int64_t *differences);
    /// In place: base + value * factor.
    void (*scale)(int64_t *values, size_t count, int64_t factor, int64_t base);
    /// In place: value * factor + remainder.
    void (*join)(int64_t *values, size_t count, int64_t factor, const int64_t *remainders);
    /// Unpacks integers and scales them to doubles: ((base + d) as double) * down * fraction.
    void (*unpackALP)(const void *packed, uint32_t width, size_t rowCount, int64_t base, double down, double fraction,
                      double *values);
    /// In place: integers to the doubles that they stand for.
    void (*decodeALP)(int64_t *values, size_t count, double down, double fraction);
    /// Unpacks differences, adds them up and scales the sums to doubles: those of carry + (base + d[0]) + ... +
    /// (base + d[i]).
    void (*unpackSumsALP)(const void *packed, uint32_t width, size_t rowCount, uint64_t base, int64_t carry,
                          double down, double fraction, double *values);
    /// In place: running sums that begin at `carry`.
    void (*prefixSum)(int64_t *values, size_t count, int64_t carry);
    /// In place: codes, all of which are below `entryCount`, to the entries that they stand for.
    void (*replaceCodes)(int64_t *codes, size_t count, const int64_t *entries, size_t entryCount);
    /// In place: integers, below 2^51 and of these classes, to the decimals that they stand for.
    void (*decodeClasses)(int64_t *values, size_t count, const FirnDecimalClass *classes, size_t classCount);
    /// One bit a value; writes whole bytes of `bitmap`, spare bits zero.
    void (*compareInt64)(const int64_t *values, size_t count, FirnComparison comparison, int64_t constant,
                         uint8_t *bitmap);
    /// NaN is larger than every other value; `constant` is not NaN.
    void (*compareDouble)(const double *values, size_t count, FirnComparison comparison, double constant,
                          uint8_t *bitmap);
    /// low <= value <= high.
    void (*betweenInt64)(const int64_t *values, size_t count, int64_t low, int64_t high, uint8_t *bitmap);
    /// Indexes of the ones among the first `count` bits, plus `first`; room for 16 more is needed. Returns how many.
    size_t (*select)(const uint64_t *bitmap, size_t count, uint32_t first, uint32_t *indexes);
    void (*aggregateDouble)(const double *values, size_t count, const uint64_t *validity, FirnDoubleAggregate *result);
    void (*aggregateInt64)(const int64_t *values, size_t count, const uint64_t *validity, FirnIntegerAggregate *result);
    /// The sum that `aggregateDouble` gives.
    double (*sumDouble)(const double *values, size_t count, const uint64_t *validity);
    /// Sum of (value - center)^2.
    double (*squaresDouble)(const double *values, size_t count, const uint64_t *validity, double center);
    double (*squaresInt64)(const int64_t *values, size_t count, const uint64_t *validity, double center);
    void (*aggregateRunsDouble)(const double *values, const uint32_t *ends, size_t runCount,
                                FirnDoubleAggregate *results);
    void (*aggregateRunsInt64)(const int64_t *values, const uint32_t *ends, size_t runCount,
                               FirnIntegerAggregate *results);
    void (*squaresRunsDouble)(const double *values, const uint32_t *ends, size_t runCount, const double *centers,
                              double *results);
    void (*squaresRunsInt64)(const int64_t *values, const uint32_t *ends, size_t runCount, const double *centers,
                             double *results);
    /// Expands the next `count` entropy-coded values; a count that is no multiple of 16 is the last. With a factor, each
    /// becomes the value that is there times the factor, plus the value; with 0 what is there does not matter. With a
    /// sum, and without a factor, values are running sums that go on from it, and it becomes the last of them.
    void (*expandBins)(const FirnBinModel *bins, FirnBinStreams *streams, size_t count, uint64_t factor, uint64_t *sum,
                       uint64_t *values);
} FirnKernels;

/// The kernels of a level, or null where this CPU has not got it.
const FirnKernels *firn_kernels_at(FirnCPULevel level);

/// The kernels of the level that was chosen at start.
extern const FirnKernels *firn_kernels;

static inline FirnCPULevel firn_chosen_level(void) { return firn_kernels->level; }
static inline uint32_t firn_crc32c(const void *bytes, size_t byteCount, uint32_t seed) {
    return firn_kernels->crc32c(bytes, byteCount, seed);
}
static inline void firn_unpack(const void *packed, uint32_t width, size_t rowCount, uint64_t base, uint64_t *values) {
    firn_kernels->unpack(packed, width, rowCount, base, values);
}
static inline void firn_unpack_narrow(const void *packed, uint32_t width, size_t rowCount, uint64_t base,
                                      uint32_t *values) {
    firn_kernels->unpackNarrow(packed, width, rowCount, base, values);
}
static inline void firn_pack(const int64_t *values, size_t count, int64_t base, uint32_t width, void *packed) {
    firn_kernels->pack(values, count, base, width, packed);
}
static inline size_t firn_count_above(const int64_t *values, size_t count, int64_t base, uint64_t limit) {
    return firn_kernels->countAbove(values, count, base, limit);
}
static inline size_t firn_count_changes(const int64_t *values, size_t count) {
    return firn_kernels->countChanges(values, count);
}
static inline void firn_extremes(const int64_t *values, size_t count, int64_t *least, int64_t *greatest) {
    firn_kernels->extremes(values, count, least, greatest);
}
static inline int64_t firn_least_from(const int64_t *values, size_t count, int64_t start) {
    return firn_kernels->leastFrom(values, count, start);
}
static inline void firn_differences(const int64_t *values, size_t count, int64_t *differences) {
    firn_kernels->differences(values, count, differences);
}
static inline void firn_scale(int64_t *values, size_t count, int64_t factor, int64_t base) {
    firn_kernels->scale(values, count, factor, base);
}
static inline void firn_join(int64_t *values, size_t count, int64_t factor, const int64_t *remainders) {
    firn_kernels->join(values, count, factor, remainders);
}
static inline void firn_unpack_alp(const void *packed, uint32_t width, size_t rowCount, int64_t base, double down,
                                   double fraction, double *values) {
    firn_kernels->unpackALP(packed, width, rowCount, base, down, fraction, values);
}
static inline void firn_decode_alp(int64_t *values, size_t count, double down, double fraction) {
    firn_kernels->decodeALP(values, count, down, fraction);
}
static inline void firn_unpack_sums_alp(const void *packed, uint32_t width, size_t rowCount, uint64_t base,
                                        int64_t carry, double down, double fraction, double *values) {
    firn_kernels->unpackSumsALP(packed, width, rowCount, base, carry, down, fraction, values);
}
static inline void firn_prefix_sum(int64_t *values, size_t count, int64_t carry) {
    firn_kernels->prefixSum(values, count, carry);
}
static inline void firn_decode_classes(int64_t *values, size_t count, const FirnDecimalClass *classes,
                                       size_t classCount) {
    firn_kernels->decodeClasses(values, count, classes, classCount);
}
static inline void firn_replace_codes(int64_t *codes, size_t count, const int64_t *entries, size_t entryCount) {
    firn_kernels->replaceCodes(codes, count, entries, entryCount);
}
static inline void firn_compare_int64(const int64_t *values, size_t count, FirnComparison comparison, int64_t constant,
                                      uint8_t *bitmap) {
    firn_kernels->compareInt64(values, count, comparison, constant, bitmap);
}
static inline void firn_compare_double(const double *values, size_t count, FirnComparison comparison, double constant,
                                       uint8_t *bitmap) {
    firn_kernels->compareDouble(values, count, comparison, constant, bitmap);
}
static inline void firn_between_int64(const int64_t *values, size_t count, int64_t low, int64_t high,
                                      uint8_t *bitmap) {
    firn_kernels->betweenInt64(values, count, low, high, bitmap);
}
static inline size_t firn_select(const uint64_t *bitmap, size_t count, uint32_t first, uint32_t *indexes) {
    return firn_kernels->select(bitmap, count, first, indexes);
}
static inline void firn_aggregate_double(const double *values, size_t count, const uint64_t *validity,
                                         FirnDoubleAggregate *result) {
    firn_kernels->aggregateDouble(values, count, validity, result);
}
static inline void firn_aggregate_int64(const int64_t *values, size_t count, const uint64_t *validity,
                                        FirnIntegerAggregate *result) {
    firn_kernels->aggregateInt64(values, count, validity, result);
}
static inline double firn_sum_double(const double *values, size_t count, const uint64_t *validity) {
    return firn_kernels->sumDouble(values, count, validity);
}
static inline double firn_squares_double(const double *values, size_t count, const uint64_t *validity, double center) {
    return firn_kernels->squaresDouble(values, count, validity, center);
}
static inline double firn_squares_int64(const int64_t *values, size_t count, const uint64_t *validity, double center) {
    return firn_kernels->squaresInt64(values, count, validity, center);
}
static inline void firn_aggregate_runs_double(const double *values, const uint32_t *ends, size_t runCount,
                                              FirnDoubleAggregate *results) {
    firn_kernels->aggregateRunsDouble(values, ends, runCount, results);
}
static inline void firn_aggregate_runs_int64(const int64_t *values, const uint32_t *ends, size_t runCount,
                                             FirnIntegerAggregate *results) {
    firn_kernels->aggregateRunsInt64(values, ends, runCount, results);
}
static inline void firn_squares_runs_double(const double *values, const uint32_t *ends, size_t runCount,
                                            const double *centers, double *results) {
    firn_kernels->squaresRunsDouble(values, ends, runCount, centers, results);
}
static inline void firn_squares_runs_int64(const int64_t *values, const uint32_t *ends, size_t runCount,
                                           const double *centers, double *results) {
    firn_kernels->squaresRunsInt64(values, ends, runCount, centers, results);
}
static inline void firn_expand_bins(const FirnBinModel *bins, FirnBinStreams *streams, size_t count, uint64_t factor,
                                    uint64_t *sum, uint64_t *values) {
    firn_kernels->expandBins(bins, streams, count, factor, sum, values);
}

/// What a state of the entropy coder means, in one word: how many bits lead to the next state, how many make the
/// offset, which bin it is, and what to add to the bits for the next state. Base is below 4,096, with noughts where the
/// bits are added; bin is below 1,024.
static inline uint32_t firn_bin_entry(uint32_t bits, uint32_t offsetWidth, uint32_t bin, uint32_t base) {
    return bits | offsetWidth << 4 | bin << 10 | base << 20;
}

/// Begins to bring a line of memory into the cache before it is read. Any address will do.
static inline void firn_prefetch_for_reading(const void *place) { __builtin_prefetch(place); }

/// Begins to bring a line of memory into the cache before it is written. Any address will do.
static inline void firn_prefetch_for_writing(const void *place) { __builtin_prefetch(place, 1); }

#endif
