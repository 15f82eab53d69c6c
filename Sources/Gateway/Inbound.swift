public import Bytes
public import Exchange
public import Sphinx

/// A packet that ended here, read as far as the network's format goes.
public struct Inbound: Sendable {
    /// What it is.
    public enum Content: Sendable {
        /// A message, with SURBs to answer it.
        case message(pseudonym: Pseudonym, surbs: [Exit.SURBEntry], text: [UInt8])
        /// A reply to a message of our own.
        case reply(to: Pseudonym, signal: UInt8, text: [UInt8])
        /// Neither.
        case refused(Drop)
    }

    /// What it is.
    public let content: Content
    /// True if the neighbour is still to be acknowledged, with the delivery's key. Messages have
    /// been acknowledged before they were delivered; a reply is once its opener was found and its
    /// padding has a marker, whatever stands behind that.
    public let isToBeAcknowledged: Bool
}

extension PacketFactory {
    /// Reads a delivery.
    ///
    /// - Parameter opener: gives the opener of a reply, once; see `Entry.opener`.
    public func read(
        _ delivery: Delivery,
        opener: (SenderID) -> ReplyOpener?
    ) -> Inbound {
        let name = Pseudonym(delivery.senderID.array.prefix(Geometry.pseudonymBytes))
        let pseudonym = name ?? Pseudonym()
        guard delivery.payload.count == geometry.payloadBytes else {
            return Inbound(content: .refused(.packetSize), isToBeAcknowledged: false)
        }
        var payload = delivery.payload
        if delivery.isReply {
            guard let opener = opener(delivery.senderID) else {
                return Inbound(content: .refused(.openerUnknown), isToBeAcknowledged: false)
            }
            open(&payload, opener: opener)
        }
        switch Message.unpack(payload, geometry: geometry) {
        case .failure(let refusal):
            return Inbound(
                content: .refused(refusal.drop),
                isToBeAcknowledged: delivery.isReply && refusal.drop != .paddingInvalid
            )
        case .success(let parts) where delivery.isReply:
            return Inbound(
                content: .reply(to: pseudonym, signal: parts.signal, text: parts.text),
                isToBeAcknowledged: true
            )
        case .success(let parts):
            let surbs = Exit.SURBEntry.entries(parts.surbs, senderID: delivery.senderID)
            return Inbound(
                content: .message(pseudonym: pseudonym, surbs: surbs, text: parts.text),
                isToBeAcknowledged: false
            )
        }
    }
}

extension Exit.SURBEntry {
    /// A message's SURBs with their sender ids: the first goes by the id in the message's header,
    /// each further one by the next in the chain.
    public static func entries(_ surbs: [[UInt8]], senderID: SenderID) -> [Exit.SURBEntry] {
        var id = senderID
        return surbs.enumerated().map { position, bytes in
            if position > 0 { id = SenderIDChain.next(id, position: UInt32(position)) }
            return Exit.SURBEntry(senderID: id, bytes: bytes)
        }
    }
}
