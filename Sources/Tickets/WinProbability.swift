/// The chance of a ticket to win, as its 56 bits.
///
/// A draw (`luck`) wins if it is at most this number. Arithmetic uses the 52-bit fraction
/// `(rawValue + 1) >> 4`, which is exact: both directions agree with doubles to the bit.
public struct WinProbability: BitwiseCopyable, Sendable, Equatable {
    /// The number on the wire, below 2^56.
    public let rawValue: UInt64

    /// Takes the low 56 bits.
    @inlinable
    @_noLocks
    public init(rawValue: UInt64) { self.rawValue = rawValue & WinProbability.mask }

    @inlinable static var mask: UInt64 { @_noLocks get { (1 << 56) - 1 } }
    // 10^-8 in units of 2^-52.
    @inlinable static var tolerance: UInt64 { @_noLocks get { 45_035_996 } }

    /// Never wins (but for a draw of exactly zero).
    @inlinable public static var never: WinProbability {
        @_noLocks get { WinProbability(rawValue: 0) }
    }
    /// Always wins.
    @inlinable public static var always: WinProbability {
        @_noLocks get { WinProbability(rawValue: mask) }
    }

    /// From a number in 0...1; closer than 10^-8 to an end is that end. Nil outside and for NaN.
    public init?(_ probability: Double) {
        guard probability >= 0, probability <= 1 else { return nil }
        if probability <= 1e-8 {
            self = .never
        } else if 1 - probability <= 1e-8 {
            self = .always
        } else {
            let fraction = (probability + 1).bitPattern & ((1 << 52) - 1)
            self.init(rawValue: (fraction - 1) << 4 | 15)
        }
    }

    /// The number it stands for.
    public var probability: Double {
        if self == .never { return 0 }
        if self == .always { return 1 }
        return Double(bitPattern: 1023 << 52 | fraction) - 1
    }

    /// In units of 2^-52: 0 for never, 2^52 for always.
    @inlinable var fraction: UInt64 {
        @_noLocks get {
            if rawValue == 0 { return 0 }
            return (rawValue + 1) >> 4
        }
    }

    /// True if a draw of 56 bits wins.
    @inlinable
    @_noLocks
    public func wins(_ luck: UInt64) -> Bool { luck <= rawValue }

    /// At least as likely as `required`, where a difference of 10^-8 counts as equal.
    @inlinable
    @_noLocks
    public func reaches(_ required: WinProbability) -> Bool {
        fraction + WinProbability.tolerance >= required.fraction
    }

    /// The larger of the two.
    @inlinable
    @_noLocks
    public func raised(to other: WinProbability) -> WinProbability {
        rawValue >= other.rawValue ? self : other
    }
}
