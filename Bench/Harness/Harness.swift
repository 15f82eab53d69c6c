internal import CSodium
internal import Glibc

/// Measures cases in one thread, every repetition between two measurements of U.
///
/// U is one libsodium X25519 (`crypto_scalarmult`) with a random point. The ratio to it is what can
/// be compared between machines and between runs on a machine that does other things too. Cases
/// take turns: a repetition of each, then the next repetition of each.
public struct Harness {
    /// Repetitions of each case.
    public let repetitions: Int
    /// Least time of one repetition, in nanoseconds of the thread's processor clock.
    public let nanosMin: Double

    /// A full run, or one that only shows that everything works.
    public init(smoke: Bool) {
        repetitions = smoke ? 1 : 31
        nanosMin = smoke ? 0 : 2_000_000
    }

    /// Measures all cases; the first result is U itself.
    public func run(_ cases: [Case], progress: (String) -> Void) -> [Measurement] {
        var reference = Reference()
        let checksums = cases.map { $0.call(times: 1) }
        let calls = cases.map { $0.isTimed ? calibrate($0) : 1 }
        var values = [[Double]](repeating: [], count: cases.count)
        var ratios = values
        var references: [Double] = []
        for repetition in 0..<repetitions {
            progress("repetition \(repetition + 1) of \(repetitions)")
            for (index, item) in cases.enumerated() {
                guard item.isTimed else {
                    values[index].append(Double(item.body()))
                    continue
                }
                let before = reference.nanos()
                item.before()
                let start = threadNanos()
                for _ in 0..<calls[index] { _ = item.body() }
                let spent = threadNanos() - start
                item.after()
                let after = reference.nanos()
                let each = spent / Double(calls[index] * item.operations)
                values[index].append(each)
                ratios[index].append(each / ((before + after) / 2))
                references += [before, after]
            }
        }
        if references.isEmpty { references = (0..<repetitions).map { _ in reference.nanos() } }
        let u = Measurement(
            name: "u.x25519",
            unit: "ns",
            batch: 1,
            values: references,
            ratios: [],
            checksum: reference.checksum
        )
        return [u]
            + cases.indices.map { index in
                Measurement(
                    name: cases[index].name,
                    unit: cases[index].unit,
                    batch: cases[index].batch,
                    values: values[index],
                    ratios: ratios[index],
                    checksum: checksums[index]
                )
            }
    }

    /// How often to call a case so that a repetition is long enough; warms it up, too.
    private func calibrate(_ item: Case) -> Int {
        var calls = 1
        item.before()
        defer { item.after() }
        while true {
            let start = threadNanos()
            for _ in 0..<calls { _ = item.body() }
            if threadNanos() - start >= nanosMin || calls >= 1 << 20 { return calls }
            calls *= 2
        }
    }
}

/// The unit of measure: libsodium's X25519.
struct Reference {
    private var point = [UInt8](repeating: 9, count: 32)
    private let scalar: [UInt8]
    private(set) var checksum: UInt64 = 0

    init() {
        scalar = (0..<32).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) }
        for _ in 0..<16 { multiply() }
    }

    /// Nanoseconds of one multiplication now.
    mutating func nanos() -> Double {
        let count = 8
        let start = threadNanos()
        for _ in 0..<count { multiply() }
        return (threadNanos() - start) / Double(count)
    }

    private mutating func multiply() {
        var out = [UInt8](repeating: 0, count: 32)
        _ = unsafe crypto_scalarmult(&out, scalar, point)
        point = out
        checksum &+= UInt64(out[0])
    }
}

/// This thread's processor time in nanoseconds.
public func threadNanos() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}
