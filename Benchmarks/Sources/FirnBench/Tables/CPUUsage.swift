// SPDX-License-Identifier: Apache-2.0
//
// cpu: the table of TSBS "devops, cpu-only": 100 hosts that report ten integer metrics every 10 seconds for three days.
//
// A metric is a walk with steps of N(0, 1), kept within 0 ... 100, and shown rounded to an integer. Ten tags belong to
// the host. Rows come step after step, in each all hosts in order.

import Firn

struct CPUUsage: RowSource {
    static let tagNames = [
        "hostname", "region", "datacenter", "rack", "os", "arch", "team", "service", "service_version",
        "service_environment",
    ]
    static let metricNames = [
        "usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
        "usage_steal", "usage_guest", "usage_guest_nice",
    ]
    static let columnNames = ["time"] + tagNames + metricNames
    private static let regions = [
        "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "sa-east-1",
    ]

    let hostCount: Int
    let stepCount: Int
    private var random: SeededRandom
    /// For each tag its distinct values, and the code of each host.
    private let tags: [(dictionary: BytesDictionary, codes: [UInt32])]
    /// metric of host: `walks[host * 10 + metric]`.
    private var walks: [Double] = []
    private var step = 0
    private var host = 0

    init(seed: UInt64, hostCount: Int = 100, stepCount: Int = 25_920) {
        self.hostCount = hostCount
        self.stepCount = stepCount
        var random = SeededRandom(seed: seed)
        for _ in 0..<hostCount * Self.metricNames.count { walks.append(random.uniform(0, 100)) }

        func pick(_ options: [String]) -> [String] { (0..<hostCount).map { _ in options[random.below(options.count)] } }
        let region = pick(Self.regions)
        let datacenter = region.map { $0 + ["a", "b", "c"][random.below(3)] }
        let values = [
            (0..<hostCount).map { "host_\($0)" }, region, datacenter, pick((0..<100).map(String.init)),
            pick(["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"]), pick(["x64", "x86"]),
            pick(["SF", "NYC", "LON", "CHI"]), pick((0..<20).map(String.init)), pick(["0", "1"]),
            pick(["production", "staging", "test"]),
        ]
        tags = values.map { values in
            let distinct = Set(values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let codes = values.map { UInt32(distinct.firstIndex(of: $0)!) }
            return (try! BytesDictionary(BytesValues(distinct)), codes)
        }
        self.random = random
    }

    mutating func nextBatch(rowCountMax: Int) throws -> ColumnBatch? {
        let count = min(rowCountMax, (stepCount - step) * hostCount - host)
        guard count > 0 else { return nil }
        let metricCount = Self.metricNames.count
        var times: [Int64] = []
        var codes = Array(repeating: [UInt32](), count: tags.count)
        var metrics = Array(repeating: [Int64](), count: metricCount)
        for _ in 0..<count {
            times.append(firstMicrosecond + Int64(step) * 10 * microsecondsPerSecond)
            for tag in tags.indices { codes[tag].append(tags[tag].codes[host]) }
            for metric in 0..<metricCount {
                let walk = min(max(walks[host * metricCount + metric] + random.normal(), 0), 100)
                walks[host * metricCount + metric] = walk
                metrics[metric].append(Int64(walk.rounded(.toNearestOrEven)))
            }
            host += 1
            if host == hostCount {
                host = 0
                step += 1
            }
        }
        return try ColumnBatch(
            [.timestamps(microseconds: times)]
                + tags.indices.map { try .text(codes: codes[$0], dictionary: tags[$0].dictionary) }
                + metrics.map { .integers($0) })
    }
}
