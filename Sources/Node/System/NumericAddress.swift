internal import Glibc

/// Internet addresses written as numbers.
enum NumericAddress {
    /// 4 or 6 for a numeric address, nil for a name or nonsense.
    static func family(_ host: String) -> Int? { bytes(host).map { $0.count == 4 ? 4 : 6 } }

    /// 4 or 16 bytes in network order; nil for a name or nonsense.
    static func bytes(_ host: String) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16)
        // inet_pton writes at most 16 bytes.
        if unsafe inet_pton(AF_INET, host, &buffer) == 1 { return Array(buffer[..<4]) }
        if unsafe inet_pton(AF_INET6, host, &buffer) == 1 { return buffer }
        return nil
    }
}
