internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// Packets that a relay must take or refuse.
///
/// Accept means: it decodes, proof of relay holds, the ticket parses and is signed by the previous
/// hop. No channel is given, so price, balance, epoch and index are not judged.
struct NegativeCheck {
    let geometry: Geometry
    private let desk: PeelDesk

    init(_ geometry: Geometry) {
        self.geometry = geometry
        desk = PeelDesk(geometry)
    }

    func check(_ field: Field) {
        guard let cast = Cast(field["nodes"]), let domain = field["domain_separator"].bytes32(),
            let receiver = cast.node(field["receiver_node_index"]),
            let previous = cast.node(field["previous_hop_index"])
        else { return }
        let tickets = TicketDesk(domain: domain, selector: geometry.ticketSelector)
        for item in field["cases"].items {
            guard let name = item["name"].text(), let packet = item["packet"].bytes(),
                let expected = item["expect"].text(),
                let known = knownIDs(item["key_ids_known"], cast)
            else { continue }
            guard expected == "accept" || expected == "reject" else {
                item["expect"].fail("is neither accept nor reject")
                continue
            }
            // The file does not say which node it means by a wrong one: none of the others may take
            // it.
            let others = cast.nodes.filter { $0.keyID != receiver.keyID }
            for node in name == "wrong-node" ? others : [receiver] {
                let reason = judge(
                    packet,
                    at: node,
                    known: known,
                    tickets: tickets,
                    previous: previous.chainKey.address
                )
                let accepted = reason == .none
                item["expect"].expect(
                    accepted == (expected == "accept"),
                    accepted ? "was accepted" : "was refused as \(reason.code)"
                )
            }
        }
    }

    /// The key ids that the relay knows, each with the right key.
    private func knownIDs(_ field: Field, _ cast: Cast) -> Set<UInt32>? {
        var known = Set<UInt32>()
        for item in field.items {
            guard let bytes = item["id"].bytes(4) else { return nil }
            let id = bytes.reduce(0) { $0 << 8 | UInt32($1) }
            guard let node = cast.nodes.first(where: { $0.keyID == id }) else {
                item["id"].fail("is no node's")
                continue
            }
            item["pub"].equals(node.packetKey.publicKey)
            known.insert(id)
        }
        return known
    }

    /// `none` if the packet is taken, else why not.
    private func judge(
        _ packet: [UInt8],
        at node: Cast.Node,
        known: Set<UInt32>,
        tickets: TicketDesk,
        previous: Address
    ) -> Drop {
        guard packet.count == geometry.packetBytes else { return .packetSize }
        let found = desk.peel(packet, key: node.packetKey)
        guard found.verdict == .none else { return found.verdict }
        if found.prefix.isFinal { return .none }
        guard known.contains(found.nextKeyID), found.nextKeyID != node.keyID else {
            return .nextHopInvalid
        }
        guard CurvePoint(compressed: found.hint) != nil else { return .hintInvalid }
        guard let ticket = Ticket(Array(packet[geometry.ticketOffset...])) else {
            return .amountRange
        }
        guard Curves.challenge(own: found.ownHalfKey, hint: found.hint) == ticket.challenge else {
            return .challengeMismatch
        }
        let hash = tickets.hash(ticket, issuer: previous)
        guard Secp256k1.signer(hash: hash, signature: ticket.signature) == previous else {
            return .ticketSignature
        }
        return .none
    }
}
