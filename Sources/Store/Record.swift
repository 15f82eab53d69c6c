public import Bytes

/// Writes a record field by field, integers big-endian.
public struct RecordWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8] = []

    /// An empty record.
    public init() { bytes.reserveCapacity(256) }

    /// Any unsigned integer, big-endian, in its full width.
    public mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        var shift = T.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    /// Bytes of a length the reader knows.
    public mutating func fixed<let count: Int>(_ value: FixedBytes<count>) {
        for index in 0..<count { bytes.append(value[index]) }
    }

    /// A byte string with its count (u32) in front.
    public mutating func counted(_ value: some Collection<UInt8>) {
        integer(UInt32(value.count))
        bytes.append(contentsOf: value)
    }
}

/// Reads what `RecordWriter` wrote; nil once the record is too short.
public struct RecordReader: Sendable {
    private let bytes: [UInt8]
    private var offset = 0

    /// Reads from the start of `bytes`.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// True if every byte was read.
    public var isAtEnd: Bool { offset == bytes.count }

    /// A big-endian integer in its full width.
    public mutating func integer<T: FixedWidthInteger & UnsignedInteger>() -> T? {
        let count = T.bitWidth / 8
        guard offset + count <= bytes.count else { return nil }
        var value: T = 0
        for index in 0..<count { value = value << 8 | T(bytes[offset + index]) }
        offset += count
        return value
    }

    /// Bytes of a known length.
    public mutating func fixed<let count: Int>() -> FixedBytes<count>? {
        guard offset + count <= bytes.count else { return nil }
        let value = FixedBytes<count>(bytes[offset..<offset + count])
        offset += count
        return value
    }

    /// A byte string with its count in front.
    public mutating func counted() -> [UInt8]? {
        guard let count: UInt32 = integer(), offset + Int(count) <= bytes.count else { return nil }
        defer { offset += Int(count) }
        return Array(bytes[offset..<offset + Int(count)])
    }
}
