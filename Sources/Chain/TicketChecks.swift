public import Bytes
internal import Crypto
public import Tickets

/// What a settlement layer checks about one ticket; the packet path does the same for batches.
public enum TicketChecks {
    /// Half the group order, rounded down: the largest s of a signature in its lower form.
    private static let halfOrder: [UInt8] = [
        0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b,
        0x20, 0xa0,
    ]

    /// The hash under a ticket's signature.
    public static func hash(
        _ ticket: Ticket,
        channelID: Bytes32,
        domain: Bytes32,
        selector: UInt32
    ) -> Bytes32 {
        let bytes = ticket.bytes.array
        let inner = Hash.keccak256(channelID.array + bytes[20..<68])
        let call = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: selector >> UInt32($0)) }
        let outer = Hash.keccak256(call + [UInt8](repeating: 0, count: 28) + inner.array)
        return Hash.keccak256([0x19, 0x01] + domain.array + outer.array)
    }

    /// True if the ticket is signed by `issuer`, in the form that the ledger takes.
    public static func isSigned(_ ticket: Ticket, hash: Bytes32, by issuer: Address) -> Bool {
        isLowS(ticket.signature)
            && Secp256k1.signer(hash: hash, signature: ticket.signature) == issuer
    }

    /// True if s, without the parity bit, is at most half the group order.
    static func isLowS(_ signature: Bytes64) -> Bool {
        var s = Array(signature.array[32...])
        s[0] &= 0x7f
        return !halfOrder.lexicographicallyPrecedes(s)
    }

    /// True if `response · G` has the challenge's address.
    public static func opens(_ response: Bytes32, challenge: Address) -> Bool {
        var response = response
        return response.withRegion {
            ProofOfRelay.opens($0, challenge: challenge, curve: Secp256k1.shared)
        }
    }
}
