/// Why a file cannot be read as a trace, and where.
public struct TraceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Equatable, Sendable {
        /// It does not begin as a trace does.
        case noTrace
        /// A version that this build does not read.
        case version(UInt16)
        /// Flags that this build does not know.
        case flags(UInt16)
        /// More would be kept of a record than a trace may keep.
        case keptMax(Int)
        /// A header or block was changed.
        case checksum
        /// A block is longer than blocks may be.
        case blockBytes(Int)
        /// Blocks are missing or in the wrong order: so many records should be before this one.
        case order(expected: UInt64, found: UInt64)
        /// The records of a block do not fill it.
        case blockContent
        /// A record is longer than what is left of its block.
        case recordBytes(Int)
        /// A record keeps more than it had, or than the header says, or less although the header
        /// says that all is kept.
        case kept(Int)
        /// A record names a link that the trace does not have.
        case link(Int)
        /// A record's direction is none.
        case direction(UInt8)
        /// The file ends before its end block.
        case cutOff
        /// Something follows the end block.
        case trailing
    }

    /// Bytes before the fault.
    public let offset: Int
    /// What is wrong.
    public let reason: Reason

    init(_ offset: Int, _ reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    /// One line for the operator, to be put behind the file's name.
    public var description: String { "byte \(offset): \(text)" }

    private var text: String {
        switch reason {
        case .noTrace: "this is no trace"
        case .version(let version): "version \(version) is unknown"
        case .flags(let flags): "flags \(flags) are unknown"
        case .keptMax(let bytes):
            "records keep up to \(bytes) bytes; \(TraceFormat.keptBytesMax) are possible"
        case .checksum: "the checksum does not match: the file was damaged"
        case .blockBytes(let bytes): "a block cannot have \(bytes) bytes"
        case .order(let expected, let found):
            "blocks are missing or out of order: \(found) records before this one, not \(expected)"
        case .blockContent: "the records of the block do not fill it"
        case .recordBytes(let bytes): "a record keeps \(bytes) bytes, more than its block has left"
        case .kept(let bytes): "a record keeps \(bytes) bytes, against the header or its size"
        case .link(let link): "there is no link \(link)"
        case .direction(let direction): "direction \(direction) is none"
        case .cutOff: "the file ends too early"
        case .trailing: "something follows the end"
        }
    }
}
