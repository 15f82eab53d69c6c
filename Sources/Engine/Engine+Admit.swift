public import Bytes
public import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// The cheap checks: length, previous hop, and what the ticket says in the clear.
    ///
    /// A ticket of zeros passes: the packet may end here. Whether it does is known after the peel.
    @_noLocks
    public mutating func admit(_ batch: inout Batch, slab: Slab, snapshot: Snapshot) {
        begin(batch)
        var left = batch.live
        while let lane = left.popFirst() {
            if Int(batch.byteCount[lane]) != config.geometry.packetBytes {
                refuse(&batch, lane, .packetSize, Step.size)
            } else if Int(batch.source[lane]) >= snapshot.nodes.count {
                refuse(&batch, lane, .sourceUnknown, Step.size)
            }
        }
        let offset = config.geometry.ticketOffset
        let inRange = tickets.parse(
            batch,
            slab: slab,
            offset: offset,
            lanes: batch.live,
            into: lanes.ticket
        )
        left = batch.live
        while let lane = left.popFirst() {
            if isDummy(lanes.ticket[lane]) {
                marks.dummy |= 1 << LaneMask(lane)
            } else {
                admitTicket(&batch, lane, snapshot, amountInRange: inRange.contains(lane))
            }
        }
    }

    @_noLocks
    private mutating func begin(_ batch: borrowing Batch) {
        marks = Marks()
        marks.given = batch.live
        outcome = Outcome()
        lanes.step.region.fill(Step.passed)
        lanes.code.region.fill(0)
        lanes.channel.region.fill(0xff)
        nextHop.region.fill(0xff)
        lanes.nextChannel.region.fill(0xff)
        counters.count(.packetsIn, by: UInt64(marks.given.nonzeroBitCount))
        counters.count(.batches)
    }

    @_noLocks
    private func isDummy(_ ticket: Ticket) -> Bool {
        ticket.amount == 0 && ticket.index == 0 && ticket.channelEpoch == 0
            && ticket.winProbability.rawValue == 0
    }

    @_noLocks
    private mutating func admitTicket(
        _ batch: inout Batch,
        _ lane: Int,
        _ snapshot: Snapshot,
        amountInRange: Bool
    ) {
        let slot = snapshot.nodes[Int(batch.source[lane])].incoming
        let code = judgeFields(lane, slot, snapshot, amountInRange: amountInRange)
        guard code.index == 0 else { return refuse(&batch, lane, code, Step.ticket) }
        lanes.channel[lane] = slot
        marks.judged |= 1 << LaneMask(lane)

        let index = lanes.ticket[lane].index
        let verdict = books.judge(slot, index)
        if verdict.index != 0, verdict.index != Drop.indexJump.index || !mayBeReached(lane, slot) {
            return refuse(&batch, lane, verdict, Step.index)
        }
        let balance = snapshot.channels[Int(slot)].balance
        if !books.covers(slot, lanes.ticket[lane].amount, balance: balance) {
            refuse(&batch, lane, .channelFunds, Step.funds)
        }
    }

    /// Fields that no other packet of the batch can change the judgement of.
    @_noLocks
    private func judgeFields(
        _ lane: Int,
        _ slot: UInt32,
        _ snapshot: Snapshot,
        amountInRange: Bool
    ) -> Drop {
        let ticket = lanes.ticket[lane]
        let header = snapshot.headerColumn
        guard equal(ticket.counterparty, header[0].chainAddress) else { return .ticketRecipient }
        guard Int(slot) < snapshot.channels.count, Int(slot) < books.slotCount else {
            return .channelUnknown
        }
        let channel = snapshot.channels[Int(slot)]
        guard channel.used == 1 else { return .channelUnknown }
        guard channel.redeemable else { return .channelClosed }
        guard !books.stopped(slot) else { return .commitmentUnknown }
        guard ticket.channelEpoch == channel.channelEpoch else { return .channelEpoch }
        guard amountInRange else { return .amountRange }
        let policy = header[0].policy
        guard ticket.amount >= policy.price, ticket.amount >= policy.minimumAmount else {
            return .amountLow
        }
        guard ticket.winProbability.reaches(policy.winProbabilityLeast) else { return .winProbLow }
        return .none
    }

    /// True if an earlier lane may raise the window far enough for a jump to be none.
    @_noLocks
    private func mayBeReached(_ lane: Int, _ slot: UInt32) -> Bool {
        let index = lanes.ticket[lane].index
        for earlier in 0..<lane where marks.judged.contains(earlier) {
            guard lanes.channel[earlier] == slot else { continue }
            if index <= lanes.ticket[earlier].index + 1 + ChannelBooks.jumpMax { return true }
        }
        return false
    }

    /// A lane is refused; the first reason stands.
    ///
    /// Where refused packets are answered, a packet goes on until it is known whether it decodes.
    @_noLocks
    mutating func refuse(_ batch: inout Batch, _ lane: Int, _ code: Drop, _ step: UInt8) {
        if lanes.step[lane] == Step.passed {
            lanes.step[lane] = step
            lanes.code[lane] = code.index
            if config.answersRefused, isAnswered(code), step < Step.content {
                marks.deferred |= 1 << LaneMask(lane)
                return
            }
        } else if step < Step.content, isAnswered(code) {
            return
        }
        batch.drop(lane, Drop(index: lanes.code[lane]))
    }

    /// Codes of packets that decode: the others get nothing at all.
    @_noLocks
    func isAnswered(_ code: Drop) -> Bool {
        switch code {
        case .replay, .noAckRefused, .ticketRecipient, .channelUnknown, .channelClosed,
            .commitmentUnknown, .channelEpoch, .amountLow, .winProbLow, .indexReplay, .indexJump,
            .lateIndex, .channelFunds, .ticketSignature, .nextChannel, .nextFunds:
            true
        default: false
        }
    }
}

/// Equality of addresses that are public.
@_noLocks
func equal(_ left: Address, _ right: Address) -> Bool {
    var difference: UInt8 = 0
    for index in 0..<20 { difference |= left[index] ^ right[index] }
    return difference == 0
}
