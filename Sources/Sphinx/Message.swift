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

// Control plane.
extension Message {
    /// A message's bytes.
    public static func encode(signal: Signal, surbs: [[UInt8]], text: [UInt8]) -> [UInt8] {
        precondition(surbs.count <= Geometry.surbsMax, "too many SURBs")
        return [flags(signal: signal, surbCount: surbs.count)] + surbs.flatMap { $0 } + text
    }

    /// A decrypted payload block, taken apart: what `Padding` and `parse` find, or why not.
    public static func unpack(
        _ block: [UInt8],
        geometry: Geometry
    ) -> Result<Parts, Refusal> {
        var block = block
        return block.withRegion { block in
            let found = Padding.find(block)
            guard found.marked else { return .failure(Refusal(drop: .paddingInvalid)) }
            guard found.clean else { return .failure(Refusal(drop: .payloadTagged)) }
            let bytes = block.slice(found.dataOffset, block.byteCount - found.dataOffset)
            guard let message = parse(bytes, geometry: geometry) else {
                return .failure(Refusal(drop: .messageInvalid))
            }
            let surbs = (0..<message.surbCount).map {
                bytes.slice(message.surbOffset + $0 * geometry.surbBytes, geometry.surbBytes).array
            }
            let text = bytes.slice(message.textOffset, bytes.byteCount - message.textOffset).array
            return .success(Parts(signal: message.signal, surbs: surbs, text: text))
        }
    }

    /// A message taken apart.
    public struct Parts: Equatable, Sendable {
        /// 0...3.
        public var signal: UInt8
        /// SURBs, all of the profile's length.
        public var surbs: [[UInt8]]
        /// Plain text.
        public var text: [UInt8]
    }

    /// Why a block is no message.
    public struct Refusal: Error, Equatable, Sendable {
        /// `paddingInvalid`, `payloadTagged` or `messageInvalid`.
        public let drop: Drop
    }
}
