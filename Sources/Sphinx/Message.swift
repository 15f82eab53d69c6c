public import Bytes

/// What the sender says about its stock of SURBs, in the top four bits of a message's first byte.
public enum Signal: UInt8, Sendable, CaseIterable {
    /// Nothing.
    case none = 0
    /// Running low on SURBs.
    case low = 1
    /// Two is accepted and means nothing yet.
    case reserved = 2
    /// Out of SURBs.
    case out = 3
}

/// The layout of a message: flags, SURBs, plain text.
public struct Message: BitwiseCopyable, Sendable {
    /// 0...3.
    public let signal: UInt8
    /// SURBs, 0...15.
    public let surbCount: Int
    /// Where the first SURB begins.
    public let surbOffset: Int
    /// Where the plain text begins; it runs to the end.
    public let textOffset: Int

    /// Reads a message's flags; nil if they do not fit its length.
    @_noLocks
    public static func parse(_ bytes: Region, geometry: Geometry) -> Message? {
        guard bytes.byteCount >= 1 else { return nil }
        let flags = bytes.byte(0)
        let signal = flags >> 4
        let count = Int(flags & 15)
        guard signal <= 3 else { return nil }
        let surbBytes = count * geometry.surbBytes
        guard count == 0 || surbBytes < bytes.byteCount else { return nil }
        return Message(
            signal: signal,
            surbCount: count,
            surbOffset: 1,
            textOffset: 1 + surbBytes
        )
    }

    /// The first byte of a message.
    @_noLocks
    public static func flags(signal: Signal, surbCount: Int) -> UInt8 {
        signal.index << 4 | UInt8(surbCount & 15)
    }
}

extension Signal {
    /// The number on the wire.
    public var index: UInt8 {
        @_noLocks
        get {
            switch self {
            case .none: 0
            case .low: 1
            case .reserved: 2
            case .out: 3
            }
        }
    }
}
