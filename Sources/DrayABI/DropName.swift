internal import Bytes

/// The codes as C reads them, by their numbers; a test compares each with the case's own name.
private let dropNames: [79 of StaticString] = [
    "none", "packetSize", "alphaInvalid", "alphaNeutral", "headerMac", "headerVersion", "replay",
    "replayFull", "nextHopInvalid", "mixerFull", "storeFull", "peerBudget", "sourceUnknown",
    "noAckRefused", "ticketRecipient", "channelUnknown", "channelClosed", "ticketEpoch",
    "channelEpoch", "amountLow", "amountRange", "winProbLow", "indexReplay", "indexJump",
    "lateIndex", "channelFunds", "challengeMismatch", "hintInvalid", "ticketSignature",
    "ackChallengeSig", "bloomCollision", "nextChannel", "nextFunds", "commitmentUnknown",
    "commitmentExhausted", "winRateAnomaly", "ackSize", "ackUnexpected", "ackScalar", "ackUnknown",
    "ackWrongPeer", "ackResponse", "ackSignature", "noAck", "paddingInvalid", "payloadTagged",
    "messageInvalid", "openerUnknown", "deliveryFull", "slotsFull", "sendFailed", "stopping",
    "noForward", "ticketSelfCheck", "linkSize", "linkType", "linkUnknown", "linkReplay", "linkTag",
    "linkExpired", "linkMac", "linkCookie", "linkRate", "linkStranger", "linkPrologue",
    "linkTimestamp", "linkCrossed", "linkFull", "linkDown", "frameLost", "frameInvalid",
    "frameUnknown", "queueFull", "queueAge", "duplicate", "ackUnsent", "linkPaced", "linkShed",
    "upgradeLost",
]

/// Number of codes: one more than the last. (`allCases` would allocate.)
var dropCount: UInt32 { UInt32(dropNames.count) }

/// The code as C reads it.
func dropName(_ drop: Drop) -> StaticString { dropNames[Int(drop.index)] }
