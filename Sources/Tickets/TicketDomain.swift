public import Bytes
internal import Crypto

/// What decides whether a ticket wins; a property of the settlement layer that a channel lives on.
public enum LuckRule: UInt8, Sendable, CaseIterable {
    /// Openings of an iterated hash commitment, drawn in index order.
    case commitment
    /// A verifiable random function of the redeemer's chain key.
    case vrf

    /// The raw value, for code that may not compare enums.
    @inlinable public var index: UInt8 {
        @_noLocks get {
            switch self {
            case .commitment: 0
            case .vrf: 1
            }
        }
    }
}

/// The EIP-712 domain under which tickets are signed: it ties them to one settlement layer.
public enum TicketDomain {
    /// `dst` of a settlement layer: contract HoprChannels, version 2.0.0, at `contract` on
    /// `chainID`.
    public static func separator(chainID: UInt64, contract: Address) -> Bytes32 {
        let type =
            "EIP712Domain(string name,string version,uint256 chainId,"
            + "address verifyingContract)"
        var encoded = Hash.keccak256(Array(type.utf8)).array
        encoded += Hash.keccak256(Array("HoprChannels".utf8)).array
        encoded += Hash.keccak256(Array("2.0.0".utf8)).array
        encoded += [UInt8](repeating: 0, count: 24)
        for shift in stride(from: 56, through: 0, by: -8) {
            encoded.append(UInt8(truncatingIfNeeded: chainID >> UInt64(shift)))
        }
        encoded += [UInt8](repeating: 0, count: 12) + contract.array
        return Hash.keccak256(encoded)
    }

    /// `dst'` of a channel under the commitment rule: Keccak-256(dst ‖ ticket epoch u32). Tickets
    /// of an old ticket epoch fail as wrongly signed.
    public static func separator(_ domain: Bytes32, ticketEpoch: UInt32) -> Bytes32 {
        var material = domain.array
        for shift in [24, 16, 8, 0] {
            material.append(UInt8(truncatingIfNeeded: ticketEpoch >> UInt32(shift)))
        }
        return Hash.keccak256(material)
    }

    /// The domain that a channel's tickets are hashed with.
    public static func separator(
        _ domain: Bytes32,
        rule: LuckRule,
        ticketEpoch: UInt32
    ) -> Bytes32 {
        switch rule {
        case .commitment: separator(domain, ticketEpoch: ticketEpoch)
        case .vrf: domain
        }
    }

    /// The id of the one channel from `source` to `destination`.
    public static func channelID(source: Address, destination: Address) -> Bytes32 {
        Hash.keccak256(source.array + destination.array)
    }
}
