import CKernelProbe
import Foundation
import TestSupport
import Testing

/// Every row against the scalar one, over random and extreme inputs: `Tests/KernelProbe`.
///
/// `make check-kernels CASES=…` runs the same for longer. `DRAY_SEED` repeats a run.
@Suite struct DifferentialTests {
    /// The names of the table's kernels.
    static let kernels: [String] = (0...).lazy.map { probe_kernel($0) }.prefix { $0 != nil }
        .compactMap { $0.map { String(cString: $0) } }

    private struct Outcome {
        let mismatches: UInt64
        let text: String

        init(_ body: (UnsafeMutablePointer<probe_failure>) -> UInt64) {
            var failure = probe_failure()
            mismatches = body(&failure)
            text = failure.text.map { String(cString: $0) } ?? ""
            free(failure.text)
        }
    }

    private var environmentSeed: UInt64? {
        ProcessInfo.processInfo.environment["DRAY_SEED"].flatMap { UInt64($0) }
    }

    private func compare(_ row: String, _ kernel: String) {
        let seed = SeededGenerator("\(row) \(kernel)", seed: environmentSeed).seed
        let cases: UInt64 = [1_000_000, 100_000, 10_000][Int(probe_cost(kernel))]
        let outcome = Outcome { probe_differential(row, kernel, seed, cases, $0) }
        #expect(outcome.mismatches == 0, "seed \(seed)\n\(outcome.text)")
    }

    @Test func `every kernel of the table is compared`() {
        #expect(Self.kernels.count == Int(probe_table_size()))
        #expect(Set(Self.kernels).count == Self.kernels.count)
    }

    @Test(arguments: kernels)
    func `the portable row computes what the scalar row computes`(kernel: String) {
        compare("portable", kernel)
    }

    @Test(
        .enabled(if: probe_runs("avx512") == 1, "skipped: no AVX-512 IFMA"),
        arguments: kernels
    )
    func `the avx512 row computes what the scalar row computes`(kernel: String) {
        compare("avx512", kernel)
    }

    @Test(
        arguments: [
            PROBE_WRONG_LANE, PROBE_WRONG_WRITE, PROBE_WRONG_READ, PROBE_WRONG_MASK,
            PROBE_WRONG_SHORT, PROBE_WRONG_POINT,
        ].map(\.rawValue)
    )
    func `a row that is wrong is found out`(how: UInt32) {
        let outcome = Outcome { probe_differential_wrong(probe_wrong(how), 1, 2_000, $0) }
        #expect(outcome.mismatches > 0)
        #expect(outcome.text.contains("live"))
    }

    @Test func `a row or kernel that is not there is no success`() {
        #expect(probe_differential("none", "blake3", 1, 1, nil) == .max)
        #expect(probe_differential("portable", "none", 1, 1, nil) == .max)
    }
}
