public import Bytes

/// How far a packet comes before it leaves; each stage includes those before it.
public enum PacketStage: UInt8, CaseIterable, Sendable {
    /// Opened by the link, and looked at in the clear.
    case opened
    /// Through the curve arithmetic and the header's MAC.
    case peeled
    /// Through the ticket's challenge and signature.
    case verified
    /// To the end.
    case accepted

    /// How far a packet with this verdict came; `none` is a packet that was accepted.
    ///
    /// Some reasons are given early and late: they count as late, or the late ones would be cheap.
    @_noLocks
    public init(verdict: Drop) {
        switch verdict {
        case .none, .payloadTagged, .ticketSelfCheck:
            self = .accepted
        case .mixerFull, .storeFull, .stopping, .replayFull, .ticketSignature, .nextChannel,
            .nextFunds, .indexReplay, .indexJump, .lateIndex, .channelFunds, .deliveryFull:
            self = .verified
        case .alphaInvalid, .alphaNeutral, .headerMac, .headerVersion, .replay, .nextHopInvalid,
            .noAckRefused, .amountLow, .hintInvalid, .challengeMismatch, .paddingInvalid,
            .messageInvalid, .ackSize:
            self = .peeled
        case .packetSize, .sourceUnknown, .peerBudget, .ticketRecipient, .channelUnknown,
            .channelClosed, .channelEpoch, .amountRange, .winProbLow, .commitmentUnknown,
            .queueFull, .queueAge, .duplicate, .slotsFull:
            self = .opened
        // Never a packet's verdict.
        case .ticketEpoch, .ackChallengeSig, .bloomCollision, .commitmentExhausted,
            .winRateAnomaly, .ackUnexpected, .ackScalar, .ackUnknown, .ackWrongPeer, .ackResponse,
            .ackSignature, .noAck, .openerUnknown, .sendFailed, .noForward, .linkSize, .linkType,
            .linkUnknown, .linkReplay, .linkTag, .linkExpired, .linkMac, .linkCookie, .linkRate,
            .linkStranger, .linkPrologue, .linkTimestamp, .linkCrossed, .linkFull, .linkDown,
            .linkPaced, .linkShed, .frameLost, .frameInvalid, .frameUnknown, .ackUnsent,
            .upgradeLost:
            self = .opened
        }
    }

    /// True for packets that were accepted, and stay in the replay set.
    var isAccepted: Bool {
        @_noLocks
        get {
            switch self {
            case .accepted: true
            case .opened, .peeled, .verified: false
            }
        }
    }
}

/// What a packet costs up to the stage that it reached, in nanoseconds of CPU.
///
/// The figures are those of full batches on a processor with wide vectors: what counts is how the
/// stages compare.
public struct PacketCosts: BitwiseCopyable, Sendable, Equatable {
    /// A packet that is dropped before the curve arithmetic.
    public var openedNanos: UInt64 = 1_500
    /// One whose header is not what it should be.
    public var peeledNanos: UInt64 = 10_500
    /// One whose ticket is not.
    public var verifiedNanos: UInt64 = 14_000
    /// One that is accepted, its acknowledgement included.
    public var acceptedNanos: UInt64 = 20_000

    /// Costs as measured.
    @_noLocks
    public init() {}

    /// True if no stage is cheaper than the one before it, and the last one is not free.
    public var isSound: Bool {
        openedNanos <= peeledNanos && peeledNanos <= verifiedNanos
            && verifiedNanos <= acceptedNanos && acceptedNanos > 0
    }

    /// Cost of a packet that came so far.
    @_noLocks
    public func nanos(_ stage: PacketStage) -> UInt64 {
        switch stage {
        case .opened: openedNanos
        case .peeled: peeledNanos
        case .verified: verifiedNanos
        case .accepted: acceptedNanos
        }
    }

    /// Cost of a packet that left with this verdict, or of an accepted one (`none`).
    @_noLocks
    public func nanos(verdict: Drop) -> UInt64 { nanos(PacketStage(verdict: verdict)) }
}
