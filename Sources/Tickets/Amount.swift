// What tickets are worth. Nil always means: out of the range of a ticket's amount, 0..<10^25.
extension Ticket {
    /// What a ticket must carry so that `price` is earned on average for each of `relays` hops:
    /// `(price · relays) << 52 / fraction`, rounded down. `relays` is the packet's path position
    /// minus one.
    @_noLocks
    public static func amount(
        price: UInt128,
        relays: Int,
        winProbability: WinProbability
    ) -> UInt128? {
        guard let total = total(price: price, relays: relays) else { return nil }
        let divisor = UInt128(winProbability.fraction)
        if total == 0 { return 0 }
        if divisor == 0 { return nil }
        // total << 52 may exceed 128 bits; quotient and remainder apart do not.
        let whole = total / divisor
        let rest = ((total % divisor) << 52) / divisor
        guard whole < amountLimit >> 52 + 1 else { return nil }
        let amount = whole << 52 + rest
        return amount < amountLimit ? amount : nil
    }

    /// The least a relay takes: the larger of `price · pathPosition` and the configured minimum.
    @_noLocks
    public static func amountLeast(
        price: UInt128,
        pathPosition: Int,
        minimum: UInt128
    ) -> UInt128? {
        guard let total = total(price: price, relays: pathPosition) else { return nil }
        return total >= minimum ? total : minimum
    }

    @_noLocks
    private static func total(price: UInt128, relays: Int) -> UInt128? {
        guard price < amountLimit, relays >= 0, relays < 256 else { return nil }
        let total = price &* UInt128(UInt64(relays))
        return total < amountLimit ? total : nil
    }
}
