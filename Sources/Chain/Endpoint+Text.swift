internal import Bytes
public import Exchange
internal import Glibc

extension Endpoint {
    /// Reads `127.0.0.1:9000` or `[::1]:9000`; names are not looked up, port 0 is refused.
    public init?(text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = String(text[..<colon])
        let isIPv6 = host.hasPrefix("[") && host.hasSuffix("]")
        if isIPv6 { host = String(host.dropFirst().dropLast()) }
        var bytes = Bytes16()
        // inet_pton writes 4 or 16 bytes.
        let parsed = unsafe bytes.withMutablePointer {
            unsafe inet_pton(isIPv6 ? AF_INET6 : AF_INET, host, $0)
        }
        guard parsed == 1, port != 0 else { return nil }
        self.init(family: isIPv6 ? 6 : 4, address: bytes, port: port)
    }

    /// The form that `init(text:)` reads.
    public var text: String {
        let isIPv6 = family == 6
        var buffer = [UInt8](repeating: 0, count: 48)
        // inet_ntop writes at most 46 bytes.
        _ = unsafe address.withPointer { address in
            unsafe buffer.withUnsafeMutableBytes { room in
                unsafe inet_ntop(
                    isIPv6 ? AF_INET6 : AF_INET,
                    address,
                    room.baseAddress?.assumingMemoryBound(to: CChar.self),
                    48
                )
            }
        }
        let host = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Family, address, port: 19 bytes, as requests and records carry it.
    var encoded: FixedBytes<19> {
        var bytes = FixedBytes<19>()
        bytes[0] = family
        for index in 0..<16 { bytes[1 + index] = address[index] }
        bytes[17] = UInt8(port >> 8)
        bytes[18] = UInt8(port & 255)
        return bytes
    }

    /// Reads what `encoded` gives; nil unless it is an address that can be sent to.
    init?(encoded: FixedBytes<19>) {
        guard encoded[0] == 4 || encoded[0] == 6, let address = Bytes16(encoded.array[1..<17])
        else { return nil }
        let port = UInt16(encoded[17]) << 8 | UInt16(encoded[18])
        let tail = (4..<16).allSatisfy { address[$0] == 0 }
        guard port != 0, encoded[0] == 6 || tail else { return nil }
        self.init(family: encoded[0], address: address, port: port)
    }
}
