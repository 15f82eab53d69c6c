import Foundation

/// Tests of distributions. Generators have fixed seeds, so a test passes or fails always alike; at
/// a significance of 0.001 one in a thousand seeds would fail a right law.
enum Statistics {
    /// Largest distance between the samples' distribution function and `law` (Kolmogorov-Smirnov).
    static func distance(_ samples: [Double], _ law: (Double) -> Double) -> Double {
        let sorted = samples.sorted()
        let count = Double(sorted.count)
        return sorted.enumerated().reduce(0) { most, sample in
            let expected = law(sample.element)
            let (below, above) = (Double(sample.offset) / count, Double(sample.offset + 1) / count)
            return max(most, abs(expected - below), abs(above - expected))
        }
    }

    /// The distance that samples of the law exceed once in a thousand times: sqrt(ln(2/0.001)/2n).
    static func distanceMax(_ count: Int) -> Double { 1.9495 / Double(count).squareRoot() }

    /// Chi-square of counts that should all be alike.
    static func chiSquare(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        return counts.reduce(0) { $0 + pow(Double($1) - expected, 2) / expected }
    }

    /// Chi-square that 24 counts which are alike exceed once in a thousand times: 23 degrees of
    /// freedom.
    static let chiSquareMax24 = 49.728

    /// Which of the 24 orders four numbers 0...3 are in.
    static func permutation(_ order: [UInt32]) -> Int {
        precondition(order.sorted() == [0, 1, 2, 3])
        return order.indices.reduce(0) { sum, place in
            let smaller = order[(place + 1)...].filter { $0 < order[place] }.count
            return sum + smaller * [6, 2, 1, 0][place]
        }
    }

    /// Correlation of two columns.
    static func correlation(_ left: [Double], _ right: [Double]) -> Double {
        let count = Double(left.count)
        let means = (left.reduce(0, +) / count, right.reduce(0, +) / count)
        var (both, first, second) = (0.0, 0.0, 0.0)
        for (x, y) in zip(left, right) {
            both += (x - means.0) * (y - means.1)
            first += pow(x - means.0, 2)
            second += pow(y - means.1, 2)
        }
        return both / (first * second).squareRoot()
    }
}
