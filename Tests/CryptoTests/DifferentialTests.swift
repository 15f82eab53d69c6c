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

    /// The parts of the arithmetic below the kernels.
    static let lanes: [String] = (0...).lazy.map { probe_lanes($0) }.prefix { $0 != nil }
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

    private func compareLanes(_ row: String, _ part: String) {
        let seed = SeededGenerator("\(row) \(part)", seed: environmentSeed).seed
        let outcome = Outcome { probe_lanes_check(row, part, seed, 1_000_000, $0) }
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

    @Test(arguments: lanes)
    func `the portable lanes compute what scalar code computes`(part: String) {
        compareLanes("portable", part)
    }

    @Test(
        .enabled(if: probe_runs("avx512") == 1, "skipped: no AVX-512 IFMA"),
        arguments: lanes
    )
    func `the avx512 lanes compute what scalar code computes`(part: String) {
        compareLanes("avx512", part)
    }

    @Test(
        arguments: [
            (PROBE_WRONG_TOP.rawValue, "field_25519"),
            (PROBE_WRONG_TOP.rawValue, "field_secp256k1"),
            (PROBE_WRONG_TOP.rawValue, "order_secp256k1"),
            (PROBE_WRONG_NOISE.rawValue, "field_25519"),
            (PROBE_WRONG_NOISE.rawValue, "field_secp256k1"),
            (PROBE_WRONG_REDUCED.rawValue, "field_25519"),
            (PROBE_WRONG_REDUCED.rawValue, "field_secp256k1"),
            (PROBE_WRONG_LIMB.rawValue, "field_25519"),
            (PROBE_WRONG_LIMB.rawValue, "field_secp256k1"),
            (PROBE_WRONG_LIMB.rawValue, "order_secp256k1"),
            (PROBE_WRONG_EQUAL.rawValue, "group_25519"),
            (PROBE_WRONG_EQUAL.rawValue, "group_secp256k1"),
            (PROBE_WRONG_ODD.rawValue, "group_secp256k1"),
        ]
    )
    func `lanes that are wrong at an edge are found out`(how: UInt32, part: String) {
        let outcome = Outcome { probe_lanes_wrong(probe_wrong_lanes(how), part, 1, 100_000, $0) }
        #expect(outcome.mismatches > 0)
        #expect(outcome.text.contains("lane"))
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
        #expect(probe_lanes_check("none", "field_25519", 1, 1, nil) == .max)
        #expect(probe_lanes_check("portable", "none", 1, 1, nil) == .max)
    }
}
