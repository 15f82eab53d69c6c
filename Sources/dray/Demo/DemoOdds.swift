import Glibc

/// How unlikely it is that a relay of the demo earns nothing.
///
/// A relay at place k from the end is paid k and pays k − 1 for each packet, each with probability
/// p and 1/p times the amount: it earns 1 a packet on average, with a variance of at most 13 (1 −
/// p) / p and no single term further than 3/p from its mean (k = 3 is the worst). Bernstein's
/// inequality bounds the chance that the sum over n packets is not above 0.
enum DemoOdds {
    /// What the demo promises.
    static let target = 1e-9

    /// Winning probabilities tried, the rarest win first.
    private static let candidates = [0.125, 0.25, 0.5, 0.75, 1.0]

    /// Bound on the chance that one of three relays earns nothing.
    static func failure(queries: Int, hops: Int, winProbability p: Double) -> Double {
        // Query and answer each take a path of `hops` of the three relays, drawn at random. The
        // first half of the promise is that no relay gets far fewer packets than its share
        // (Chernoff).
        let share = 2.0 * Double(queries) * Double(hops) / 3
        let missing = hops == 3 ? 0.0 : target / 30
        let packets = hops == 3 ? share : share - sqrt(2 * share * log(1 / missing))
        guard packets >= 1 else { return 1 }
        if p == 1 { return 3 * missing }
        let variance = 13 * packets * (1 - p) / p
        let widest = 3 / p
        let bound = exp(-packets * packets / (2 * (variance + widest * packets / 3)))
        return 3 * (bound + missing)
    }

    /// The rarest winning probability that keeps the promise.
    static func winProbability(queries: Int, hops: Int) -> Double {
        candidates.first { failure(queries: queries, hops: hops, winProbability: $0) < target } ?? 1
    }
}
