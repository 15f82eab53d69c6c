internal import Bytes
internal import Datapath

/// What a look at a data datagram tells: enough to open it.
struct LinkLook: BitwiseCopyable {
    var verdict: Drop
    var slot: UInt32 = 0
    /// Of the neighbour that seems to have sent it.
    var row: UInt32 = 0
    var index: UInt32 = 0
    var counter: UInt64 = 0

    @_noLocks
    init(_ verdict: Drop) { self.verdict = verdict }
}

extension LinkTable {
    /// All that can be said of a data datagram before it is opened.
    @_noLocks
    func look(_ datagram: Region, nowNanos: UInt64) -> LinkLook {
        guard datagram.byteCount >= LinkLimits.datagramBytesMin else { return LinkLook(.linkSize) }
        guard LinkWire.number(datagram, LinkWire.type) == LinkWire.data else {
            return LinkLook(.linkType)
        }
        var look = LinkLook(.none)
        look.index = LinkWire.number(datagram, LinkWire.receiver)
        look.slot = slot(index: look.index, opening: true)
        guard look.slot != LinkTable.none else { return LinkLook(.linkUnknown) }
        let facts = facts[Int(look.slot)]
        look.row = facts.row
        guard datagram.byteCount == Int(facts.datagramBytes) else { return LinkLook(.linkSize) }
        look.counter = UInt64(littleEndian: datagram.load(LinkWire.counter))
        guard look.counter < LinkLimits.rejectDatagrams,
            nowNanos < facts.createdNanos + LinkLimits.rejectNanos
        else { return LinkLook(.linkExpired) }
        guard window(look.slot).mayTake(look.counter) else { return LinkLook(.linkReplay) }
        return look
    }

    /// Takes the counter of a datagram whose tag matches.
    @_noLocks
    func take(
        _ look: LinkLook,
        plain: Region,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) -> LinkOpened {
        guard window(look.slot).take(look.counter) else { return LinkOpened(.linkReplay) }
        let facts = facts[Int(look.slot)]
        var opened = LinkOpened(.none)
        opened.isIdle = plain.load(0) as UInt32 == 0 && plain.byte(LinkWire.frames) == 0
        opened.session = look.index
        opened.row = facts.row
        opened.keyID = facts.keyID
        opened.counter = look.counter
        noteOpened(look.slot, facts, opened, from: source, nowNanos: nowNanos)
        return opened
    }
}
