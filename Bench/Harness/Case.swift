/// One thing to measure.
public struct Case {
    /// Dotted, lower case, stable.
    public let name: String
    /// Lanes of one call; 1 for single operations.
    public let batch: Int
    /// How many operations one call of `body` performs.
    public let operations: Int
    /// What is measured: `ns`, or the unit of the figure that `body` returns.
    public let unit: String
    /// What must be typed, at least, to have it measured: for what takes much memory.
    public let leastName: String
    /// Does the work and returns a checksum of it.
    public let body: () -> UInt64
    /// Makes ready for calls of `body`; not measured.
    public let before: () -> Void
    /// Undoes that.
    public let after: () -> Void

    /// A case whose `body` performs `operations` operations in batches of `batch`.
    public init(
        _ name: String,
        batch: Int = 1,
        operations: Int? = nil,
        leastName: String = "",
        before: @escaping () -> Void = {},
        after: @escaping () -> Void = {},
        body: @escaping () -> UInt64
    ) {
        self.name = name
        self.batch = batch
        self.operations = operations ?? batch
        unit = "ns"
        self.leastName = leastName
        self.before = before
        self.after = after
        self.body = body
    }

    /// A figure that is no time: what `body` returns.
    public init(figure name: String, unit: String, body: @escaping () -> UInt64) {
        self.name = name
        self.unit = unit
        self.body = body
        batch = 1
        leastName = ""
        operations = 1
        before = {}
        after = {}
    }

    /// True if the time of `body` is what counts.
    var isTimed: Bool { unit == "ns" }

    /// Calls the body so often; returns the first call's checksum.
    public func call(times: Int) -> UInt64 {
        before()
        defer { after() }
        let checksum = body()
        for _ in 1..<max(1, times) { _ = body() }
        return checksum
    }
}

/// What was measured for one case.
public struct Measurement: Sendable {
    /// The case's name.
    public let name: String
    /// What `median`, `min` and `p99` count.
    public let unit: String
    /// Lanes of one call.
    public let batch: Int
    /// Value of each repetition.
    public let values: [Double]
    /// Ratio of each repetition to the U around it; empty where it makes no sense.
    public let ratios: [Double]
    /// Of the first call, which every run makes alike.
    public let checksum: UInt64

    /// A measurement.
    public init(
        name: String,
        unit: String,
        batch: Int,
        values: [Double],
        ratios: [Double],
        checksum: UInt64
    ) {
        self.name = name
        self.unit = unit
        self.batch = batch
        self.values = values
        self.ratios = ratios
        self.checksum = checksum
    }

    /// True if more is better: rates, and shares of what is wanted.
    var growsWhenBetter: Bool { unit == "pps" || unit == "share" }

    /// Median over repetitions.
    public var median: Double { quantile(values, 0.5) }
    /// Least.
    public var minimum: Double { quantile(values, 0) }
    /// 99th percentile.
    public var p99: Double { quantile(values, 0.99) }
    /// Median of the ratios; nil where it makes no sense.
    public var ratioToU: Double? { ratios.isEmpty ? nil : quantile(ratios, 0.5) }
}

/// The value below which a share of `values` lies (nearest rank).
public func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let rank = Int((share * Double(sorted.count)).rounded(.up)) - 1
    return sorted[min(max(rank, 0), sorted.count - 1)]
}
