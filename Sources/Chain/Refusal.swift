/// Why the ledger does not do what was asked. Names and numbers are stable; new ones are appended.
public enum Refusal: UInt8, CaseIterable, Error, Sendable {
    // The request.
    /// It does not parse, or a field is out of range.
    case malformed = 1
    /// The signature is not the account's.
    case signature
    /// The nonce was used before, by another request.
    case nonceUsed
    /// Nobody has that chain address.
    case accountUnknown
    /// No room for another account, channel or node.
    case ledgerFull
    /// The request has more tickets than the ledger takes at once.
    case tooMany

    // Money.
    /// The amount is zero.
    case amountZero
    /// The account has less than that.
    case balance

    // The register.
    /// The packet key did not sign the announcement.
    case packetSignature
    /// The packet key belongs to another chain address.
    case packetKeyTaken
    /// The packet key was replaced before.
    case packetKeyRetired
    /// The address belongs to another node.
    case endpointTaken

    // Channels.
    /// Source and destination are the same.
    case channelSelf
    /// There is no such channel.
    case channelUnknown
    /// The channel is closed.
    case channelClosed
    /// The source has given notice.
    case channelClosing
    /// The channel is not closing.
    case noNotice
    /// The notice period is not over.
    case noticeRunning
    /// The commitment is zero, or the channel's rule knows none.
    case commitmentInvalid
    /// The destination has not committed yet.
    case commitmentMissing
    /// The channel's epochs are used up.
    case epochExhausted

    // Tickets.
    /// The ticket does not parse.
    case ticketFormat
    /// The ticket is made out to somebody else.
    case ticketRecipient
    /// The ticket is of another channel epoch.
    case channelEpoch
    /// A ticket with this or a higher index was redeemed.
    case ticketIndex
    /// The ticket's signature is not in its lower form.
    case ticketHighS
    /// The opening does not hash to the commitment.
    case opening
    /// The VRF proof is wrong.
    case vrfProof
    /// The response does not open the challenge.
    case ticketResponse
    /// The ticket is not signed by the channel's source.
    case ticketSignature
    /// The ticket does not win.
    case ticketLoses
    /// The channel has less than the ticket's amount.
    case channelFunds

    // The service.
    /// The ledger cannot write.
    case storage
    /// An invariant would have been broken; nothing was changed.
    case invariant

    /// The stable code.
    public var code: String { "\(self)" }

    /// The refusal with that code.
    public init?(code: String) {
        guard let found = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }
}
