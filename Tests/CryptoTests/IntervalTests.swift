import CKernelProbe
import Testing

/// The kernels that are written over lanes, run over intervals: no sum passes 2⁶⁴ and no difference
/// falls below zero, for any input.
@Suite struct IntervalTests {
    private func faults(
        _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> UInt64
    ) -> (count: UInt64, first: String) {
        var first: UnsafePointer<CChar>?
        let count = body(&first)
        return (count, first.map { String(cString: $0) } ?? "")
    }

    @Test func `no kernel can overflow`() {
        let found = faults { probe_interval_faults($0) }
        #expect(found.count == 0, "of \(probe_interval_count()) kernels, first: \(found.first)")
    }

    @Test func `a sound computation has no fault`() {
        #expect(faults { probe_interval_of(PROBE_INTERVAL_SOUND, $0) }.count == 0)
    }

    @Test(
        arguments: [
            (PROBE_INTERVAL_UNBIASED.rawValue, "difference"),
            (PROBE_INTERVAL_SHORT_BIAS.rawValue, "difference"),
            (PROBE_INTERVAL_SUM.rawValue, "sum"), (PROBE_INTERVAL_COLUMN.rawValue, "sum"),
            (PROBE_INTERVAL_DOUBLE.rawValue, "sum"),
        ])
    func `a computation that can overflow has a fault`(how: UInt32, fault: String) {
        let found = faults { probe_interval_of(probe_interval(how), $0) }
        #expect(found.count > 0)
        #expect(found.first == fault)
    }
}
