internal import JSON

/// What is wished of a recording.
public struct TraceWish: Equatable, Sendable {
    /// Full path of the file.
    public var file: String
    /// Packets are kept whole.
    public var isWhole: Bool
    /// A file that is there is replaced.
    public var replaces: Bool
    /// Longest time; nil if none.
    public var seconds: Int?
    /// Most bytes of the file; nil if none.
    public var bytes: Int?

    /// A wish.
    public init(
        file: String,
        isWhole: Bool = false,
        replaces: Bool = false,
        seconds: Int? = nil,
        bytes: Int? = nil
    ) {
        self.file = file
        self.isWhole = isWhole
        self.replaces = replaces
        self.seconds = seconds
        self.bytes = bytes
    }

    /// Least bytes of a file.
    public static let bytesLeast = 4_096
    /// Most bytes of a file.
    public static let bytesMost = 1 << 50
    /// Longest time.
    public static let secondsMost = 10_000_000
}

extension TraceWish {
    /// Members of a request.
    var members: [JSON.Member] {
        var members = [
            JSON.Member("file", .string(file)), JSON.Member("whole", .bool(isWhole)),
            JSON.Member("force", .bool(replaces)),
        ]
        if let seconds { members.append(JSON.Member("seconds", .integer(seconds))) }
        if let bytes { members.append(JSON.Member("bytes", .integer(bytes))) }
        return members
    }

    /// Reads what `members` gives.
    init(_ document: JSON) throws(AdminError) {
        file = try Self.file(document)
        isWhole = document["whole"]?.bool ?? false
        replaces = document["force"]?.bool ?? false
        seconds = try Self.number(document, "seconds", in: 1...Self.secondsMost)
        bytes = try Self.number(document, "bytes", in: Self.bytesLeast...Self.bytesMost)
    }

    static func file(_ document: JSON) throws(AdminError) -> String {
        guard let file = document["file"]?.text, file.hasPrefix("/"), !file.contains("\0") else {
            throw AdminError("file is not the full path of a file")
        }
        return file
    }

    private static func number(
        _ document: JSON,
        _ name: String,
        in range: ClosedRange<Int>
    ) throws(AdminError) -> Int? {
        guard let value = document[name] else { return nil }
        guard let number = value.integer, range.contains(Int(number)) else {
            throw AdminError(
                "\(name) is not a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return Int(number)
    }
}
