import TestSupport
import Testing

@testable import Load

@Suite struct HistogramTests {
    @Test func `quantiles are right within a hundredth`() {
        var random = SeededGenerator("histogram")
        for _ in 0..<20 {
            let shift = UInt64.random(in: 24...60, using: &random)
            let times = (0..<Int.random(in: 1...900, using: &random)).map { _ in
                random.next() >> UInt64.random(in: shift...63, using: &random)
            }
            var histogram = LatencyHistogram()
            for time in times { histogram.add(time) }
            let sorted = times.sorted()
            for share in [0.01, 0.5, 0.9, 0.99, 1] {
                let rank = max(1, Int((share * Double(times.count)).rounded(.up)))
                let exact = Double(sorted[rank - 1])
                let found = Double(histogram.quantile(share))
                #expect(found >= exact && found <= exact * 1.01 + 1)
            }
            #expect(histogram.longest == sorted.last)
            #expect(histogram.count == UInt64(times.count))
        }
    }

    @Test func `every time has one class, in order, up to the last`() {
        var random = SeededGenerator("classes")
        for shift in 0..<64 {
            let time = random.next() >> UInt64(shift)
            let place = LatencyHistogram.place(time)
            guard time < 1 << 41 else {
                #expect(place == LatencyHistogram.place(1 << 41 - 1))
                continue
            }
            #expect(LatencyHistogram.highest(place) >= time)
            #expect(place == 0 || LatencyHistogram.highest(place - 1) < time)
        }
        #expect(LatencyHistogram().quantile(0.5) == 0)
    }
}
