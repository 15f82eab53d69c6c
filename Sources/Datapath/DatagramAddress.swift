public import Bytes
internal import CRing

/// Where a datagram comes from or goes to.
public struct DatagramAddress: BitwiseCopyable, Hashable, Sendable {
    /// 4 or 6; 0 is no address.
    public var family: UInt8
    /// Port, host order.
    public var port: UInt16
    /// Address in network order; IPv4 uses the first four bytes, the rest is zero.
    public var address: Bytes16

    /// An address of the given family.
    @_noLocks
    public init(family: UInt8, address: Bytes16, port: UInt16) {
        self.family = family
        self.port = port
        self.address = address
    }

    /// Port `port` of 127.0.0.1.
    public static func loopback(port: UInt16) -> DatagramAddress {
        var address = Bytes16()
        address[0] = 127
        address[3] = 1
        return DatagramAddress(family: 4, address: address, port: port)
    }

    @_noLocks
    init(_ raw: datagram_address) {
        family = raw.family
        port = raw.port
        address = unsafe unsafeBitCast(raw.bytes, to: Bytes16.self)
    }

    var raw: datagram_address {
        @_noLocks
        get {
            unsafe datagram_address(
                family: family,
                zero: 0,
                port: port,
                bytes: unsafeBitCast(address, to: RawAddress.self)
            )
        }
    }
}

private typealias RawAddress = (
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
    UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)
