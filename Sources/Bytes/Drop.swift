/// Why a packet, ticket or acknowledgement was refused.
///
/// The case name is the metric name and the code that users see; the raw value is the index of the
/// counter. Names are stable; new ones are appended.
public enum Drop: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// Not dropped.
    case none
    // Packet.
    /// A datagram of the wrong length.
    case packetSize
    /// Alpha is no point of the curve.
    case alphaInvalid
    /// The next alpha is the neutral element.
    case alphaNeutral
    /// The header's MAC does not match.
    case headerMac
    /// The header's version is not 1.
    case headerVersion
    /// The replay tag was seen before.
    case replay
    /// The replay set is full: new packets are refused, old ones never forgotten.
    case replayFull
    /// The next key id is unknown, or is ourselves.
    case nextHopInvalid
    /// The mixer holds as many packets as configured.
    case mixerFull
    /// The table of unacknowledged tickets, or the next hop's share of it, is full.
    case storeFull
    /// The previous hop has used up its budget.
    case peerBudget
    /// The source address belongs to nobody in the register.
    case sourceUnknown
    /// No acknowledgement is wanted by a packet that must be forwarded to its last hop: it could
    /// never be paid.
    case noAckRefused
    // Ticket.
    /// The ticket is made out to somebody else.
    case ticketRecipient
    /// No channel from the previous hop to us.
    case channelUnknown
    /// The channel is closed.
    case channelClosed
    /// Voided by a new commitment (reason of claims).
    case ticketEpoch
    /// The ticket's channel epoch is not the channel's.
    case channelEpoch
    /// The amount is below the price.
    case amountLow
    /// The amount is 10^25 or more.
    case amountRange
    /// The winning probability is below the required one.
    case winProbLow
    /// The index was used before.
    case indexReplay
    /// The index is more than 2^32 ahead.
    case indexJump
    /// The index is below the floor: a higher one has been decided.
    case lateIndex
    /// The channel's balance does not cover the ticket.
    case channelFunds
    /// The ticket's challenge does not follow from our half-key and the hint.
    case challengeMismatch
    /// The hint is no point of secp256k1.
    case hintInvalid
    /// The signature is not the previous hop's.
    case ticketSignature
    /// Reserved for the 2021 format.
    case ackChallengeSig
    /// The ticket is a member of the channel's Bloom filter.
    case bloomCollision
    /// No open channel to the next hop.
    case nextChannel
    /// The channel to the next hop has no funds left, or no reserved index.
    case nextFunds
    /// The commitment on chain is not on our chain of openings.
    case commitmentUnknown
    /// All openings are used up.
    case commitmentExhausted
    /// The issuer's win rate is outside six sigma.
    case winRateAnomaly
    // Acknowledgement.
    /// The count does not fit the packet.
    case ackSize
    /// No acknowledgement is outstanding from this peer.
    case ackUnexpected
    /// The half-key is not in [1, n-1].
    case ackScalar
    /// Nothing waits for this half-key.
    case ackUnknown
    /// The half-key was expected from another peer.
    case ackWrongPeer
    /// The response does not open the ticket's challenge.
    case ackResponse
    /// The acknowledgement's signature is not the peer's.
    case ackSignature
    /// No acknowledgement came in time.
    case noAck
    // Final packets.
    /// No marker in the padding.
    case paddingInvalid
    /// The zero prefix of the padding is not zero: the payload was changed on the way.
    case payloadTagged
    /// The message's flags or reply blocks do not parse.
    case messageInvalid
    /// A reply for which we keep no opener.
    case openerUnknown
    /// The gateway's queue is full.
    case deliveryFull
    // Node.
    /// No free slot.
    case slotsFull
    /// The kernel did not take the datagram.
    case sendFailed
    /// The node is stopping.
    case stopping
    /// Not forwarded for a reason of ours after it was accepted (reason of claims).
    case noForward
    /// The next hop's ticket did not verify after we signed it: a fault in this machine.
    case ticketSelfCheck
    // Links.
    /// A datagram of a length that its link does not have.
    case linkSize
    /// A datagram of no type that links have.
    case linkType
    /// No session, and no handshake of ours, has the datagram's index.
    case linkUnknown
    /// The datagram was taken before, or is older than the window.
    case linkReplay
    /// The datagram's tag does not match.
    case linkTag
    /// The session is too old, or has sent too much.
    case linkExpired
    /// A handshake datagram from somebody who does not know our key.
    case linkMac
    /// A handshake datagram without the cookie that is asked for under load.
    case linkCookie
    /// More handshakes than are allowed.
    case linkRate
    /// A handshake of a key that is not in the register.
    case linkStranger
    /// A handshake that knows our key and does not open: another protocol version, payload
    /// size or domain, or not the key it claims.
    case linkPrologue
    /// An initiation that is not newer than the last one of its sender.
    case linkTimestamp
    /// An initiation that crossed ours, which counts.
    case linkCrossed
    /// No room for one more session or handshake.
    case linkFull
    /// There is no session with the peer.
    case linkDown
    // Frames of a link.
    /// A datagram with a part of the frame did not come in time, or the link has too many frames
    /// begun.
    case frameLost
    /// The rest of a datagram whose head or frame breaks the rules.
    case frameInvalid
    /// A frame of a type that this version does not know.
    case frameUnknown
    // Queue in front of the curve arithmetic.
    /// No room before the curve arithmetic: the newest packet of the neighbour with most of them.
    case queueFull
    /// Waited too long for the curve arithmetic.
    case queueAge
    /// A copy of a packet that was accepted a moment ago; the replay set would refuse it too.
    case duplicate
    // Way back.
    /// An acknowledgement of ours for a neighbour to which there was no link in time.
    case ackUnsent
    // Links of a constant rate.
    /// More waits for a link than its rate lets out.
    case linkPaced
    /// A datagram of a neighbour that has more packets waiting than its share, or has used up its
    /// budget: not opened, because its packets would be dropped.
    case linkShed
    // Upgrade.
    /// It waited in memory that the next program could not go on with (reason of tickets).
    case upgradeLost

    /// Number of the counter, equal to the raw value.
    @inlinable
    public var index: UInt8 {
        @_noLocks
        get { unsafe unsafeBitCast(self, to: UInt8.self) }
    }

    /// The drop with a known index.
    @inlinable
    @_noLocks
    public init(index: UInt8) {
        unsafe self = unsafeBitCast(index, to: Drop.self)
    }

    /// The stable code.
    public var code: String { "\(self)" }
}
