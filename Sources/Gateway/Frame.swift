/// One application message of the tunnel: what stands in a packet's plain text.
///
/// Integers are big-endian. The tag's top three bits are the network's and are masked off.
///
///     all       tag 8 ‖ kind 1 ‖ …
///     forward   1: flow 4 ‖ datagram 4 ‖ total 2 ‖ offset 2 ‖ n 1 ‖ target n ‖ piece
///     backward  2: flow 4 ‖ datagram 4 ‖ total 2 ‖ offset 2 ‖ stock 2 ‖ piece
///     refill    3: nothing
///     refused   4: flow 4 ‖ reason 1 ‖ stock 2
public enum Frame: Equatable, Sendable {
    /// Entry to exit: a piece of a datagram for a target, named as on the exit's list.
    case forward(Piece, target: String)
    /// Exit to entry: a piece of the target's answer, and the SURBs left after this one.
    case backward(Piece, stock: UInt16)
    /// Entry to exit: nothing but the SURBs beside it.
    case refill
    /// Exit to entry: a flow that is not served, and the SURBs left after this one.
    case refused(flow: UInt32, Refusal, stock: UInt16)

    /// A piece of a datagram.
    public struct Piece: Equatable, Sendable {
        /// Names the flow within its pseudonym.
        public var flow: UInt32
        /// Names the datagram within its flow and direction.
        public var datagram: UInt32
        /// Length of the whole datagram.
        public var total: Int
        /// Where this piece begins.
        public var offset: Int
        /// Its bytes.
        public var bytes: [UInt8]

        /// A piece.
        public init(flow: UInt32, datagram: UInt32, total: Int, offset: Int, bytes: [UInt8]) {
            self.flow = flow
            self.datagram = datagram
            self.total = total
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// Why an exit does not serve a flow.
    public enum Refusal: UInt8, Sendable, CaseIterable {
        /// The target is not on the list.
        case target = 1
        /// As many flows as allowed are open.
        case flows = 2
        /// The target's name was not found when the exit started.
        case unresolved = 3
    }

    /// The tunnel's application tag, top three bits clear.
    public static let tag: UInt64 = 0x0064_7261_7974_0001
    /// The bits of a tag that are the application's.
    public static let tagMask: UInt64 = .max >> 3
    /// Longest datagram that is carried.
    public static let datagramBytesMax = 4096
    /// Longest target name.
    public static let targetBytesMax = 255
    /// Tag and kind.
    static let prefixBytes = 9

    /// Bytes of a forward frame beside its piece's.
    public static func forwardBytes(target: String) -> Int {
        prefixBytes + pieceBytes + 1 + target.utf8.count
    }

    /// Bytes of a backward frame beside its piece's.
    public static let backwardBytes = prefixBytes + pieceBytes + 2
    static let pieceBytes = 12
}

extension Frame {
    /// The frame as plain text.
    public var encoded: [UInt8] {
        var writer = Writer()
        writer.put(Frame.tag, 8)
        switch self {
        case .forward(let piece, let target):
            writer.put(1, 1)
            writer.put(piece)
            writer.put(UInt64(target.utf8.count), 1)
            writer.bytes += Array(target.utf8)
            writer.bytes += piece.bytes
        case .backward(let piece, let stock):
            writer.put(2, 1)
            writer.put(piece)
            writer.put(UInt64(stock), 2)
            writer.bytes += piece.bytes
        case .refill:
            writer.put(3, 1)
        case .refused(let flow, let reason, let stock):
            writer.put(4, 1)
            writer.put(UInt64(flow), 4)
            writer.put(UInt64(reason.rawValue), 1)
            writer.put(UInt64(stock), 2)
        }
        return writer.bytes
    }

    /// Reads plain text; nil for anything that this version does not write.
    public init?(_ text: [UInt8]) {
        var reader = Reader(bytes: text)
        guard let tag = reader.take(8), tag & Frame.tagMask == Frame.tag,
            let kind = reader.take(1)
        else { return nil }
        switch kind {
        case 1:
            guard var piece = reader.piece(), let length = reader.take(1),
                let name = reader.take(bytes: Int(length)),
                let target = String(validating: name, as: UTF8.self)
            else { return nil }
            piece.bytes = reader.rest()
            guard piece.isSane else { return nil }
            self = .forward(piece, target: target)
        case 2:
            guard var piece = reader.piece(), let stock = reader.take(2) else { return nil }
            piece.bytes = reader.rest()
            guard piece.isSane else { return nil }
            self = .backward(piece, stock: UInt16(stock))
        case 3:
            guard reader.rest().isEmpty else { return nil }
            self = .refill
        case 4:
            guard let flow = reader.take(4), let code = reader.take(1),
                let reason = Refusal(rawValue: UInt8(code)), let stock = reader.take(2),
                reader.rest().isEmpty
            else { return nil }
            self = .refused(flow: UInt32(flow), reason, stock: UInt16(stock))
        default: return nil
        }
    }

    /// The flow the frame speaks of.
    public var flow: UInt32? {
        switch self {
        case .forward(let piece, _), .backward(let piece, _): piece.flow
        case .refused(let flow, _, _): flow
        case .refill: nil
        }
    }
}

extension Frame.Piece {
    /// True if the piece lies inside its datagram and the datagram is not too long. Only an empty
    /// datagram has an empty piece.
    var isSane: Bool {
        total <= Frame.datagramBytesMax && offset + bytes.count <= total
            && (!bytes.isEmpty || total == 0)
    }

    /// Cuts a datagram into pieces of at most `room` bytes.
    public static func cut(
        _ datagram: [UInt8],
        flow: UInt32,
        number: UInt32,
        room: Int
    ) -> [Frame.Piece] {
        precondition(room > 0 && datagram.count <= Frame.datagramBytesMax)
        var pieces: [Frame.Piece] = []
        var offset = 0
        repeat {
            let end = min(datagram.count, offset + room)
            pieces.append(
                Frame.Piece(
                    flow: flow,
                    datagram: number,
                    total: datagram.count,
                    offset: offset,
                    bytes: Array(datagram[offset..<end])
                )
            )
            offset = end
        } while offset < datagram.count
        return pieces
    }
}

private struct Writer {
    var bytes: [UInt8] = []

    mutating func put(_ value: UInt64, _ count: Int) {
        for index in (0..<count).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
        }
    }

    mutating func put(_ piece: Frame.Piece) {
        put(UInt64(piece.flow), 4)
        put(UInt64(piece.datagram), 4)
        put(UInt64(piece.total), 2)
        put(UInt64(piece.offset), 2)
    }
}

private struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func take(_ count: Int) -> UInt64? {
        guard position + count <= bytes.count else { return nil }
        var value: UInt64 = 0
        for index in 0..<count { value = value << 8 | UInt64(bytes[position + index]) }
        position += count
        return value
    }

    mutating func take(bytes count: Int) -> ArraySlice<UInt8>? {
        guard position + count <= bytes.count else { return nil }
        position += count
        return bytes[position - count..<position]
    }

    mutating func piece() -> Frame.Piece? {
        guard let flow = take(4), let datagram = take(4), let total = take(2),
            let offset = take(2)
        else { return nil }
        return Frame.Piece(
            flow: UInt32(flow),
            datagram: UInt32(datagram),
            total: Int(total),
            offset: Int(offset),
            bytes: []
        )
    }

    mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }
}
