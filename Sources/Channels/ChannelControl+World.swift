internal import Bytes
internal import Chain
internal import Exchange
internal import Store
internal import Tickets

// What others see.
extension ChannelControl {
    /// Register and channels for the packet path.
    var world: World {
        var world = World()
        for node in view.nodes.values.sorted(by: { $0.keyID < $1.keyID })
        where node.isValid(nowMillis: now.millis) {
            if node.chainAddress == address {
                world.own.append(node)
            } else {
                world.nodes.append(
                    NodeRow(
                        keyID: node.keyID,
                        packetKey: node.packetKey,
                        chainAddress: node.chainAddress,
                        endpoint: node.endpoint
                    )
                )
            }
        }
        world.own.sort { $0.keyID > $1.keyID }
        for (id, known) in incoming {
            guard let channel = view.channels[id],
                channel.channelEpoch == known.state.channelEpoch
            else { continue }
            world.channels[known.slot] = row(channel, .incoming, peer: channel.source)
        }
        for (id, known) in outgoing {
            guard let channel = view.channels[id],
                channel.channelEpoch == known.state.channelEpoch
            else { continue }
            world.channels[known.slot] = row(channel, .outgoing, peer: channel.destination)
        }
        return world
    }

    private func row(
        _ channel: Channel,
        _ direction: ChannelDirection,
        peer: Address
    ) -> ChannelRow {
        ChannelRow(
            direction: direction,
            peer: peer,
            channelID: channel.id,
            domain: domain(ticketEpoch: channel.ticketEpoch),
            channelEpoch: channel.channelEpoch,
            ticketEpoch: channel.ticketEpoch,
            status: status(channel, direction),
            rule: identity.parameters.rule,
            balance: channel.balance
        )
    }

    /// A closing channel is closed to tickets as soon as there would be no time left to redeem
    /// them.
    private func status(_ channel: Channel, _ direction: ChannelDirection) -> ChannelStatus {
        guard channel.status == .pendingToClose, direction == .incoming else {
            return channel.status
        }
        return now.millis < lastTicketMillis(channel) ? .pendingToClose : .closed
    }

    private func lastTicketMillis(_ channel: Channel) -> UInt64 {
        let margin = policy.ackTTLNanos / 1_000_000 + policy.closingMarginMillis
        return channel.closesMillis - min(margin, channel.closesMillis)
    }

    /// When `world` will change by time alone; nil if it will not.
    var nextChangeMillis: UInt64? {
        var next: UInt64?
        func note(_ millis: UInt64) {
            if millis > now.millis { next = min(next ?? .max, millis) }
        }
        for node in view.nodes.values where node.retiresMillis != 0 { note(node.retiresMillis) }
        for id in incoming.keys {
            guard let channel = view.channels[id], channel.status == .pendingToClose else {
                continue
            }
            note(lastTicketMillis(channel))
        }
        return next
    }

    /// All channels of ours.
    var infos: [ChannelInfo] {
        var infos: [ChannelInfo] = []
        for id in Set(incoming.keys).union(outgoing.keys).sorted() {
            guard let channel = view.channels[id] else { continue }
            if let known = incoming[id] { infos.append(info(channel, known)) }
            if let known = outgoing[id] {
                infos.append(
                    ChannelInfo(
                        channel: channel,
                        direction: .outgoing,
                        slot: known.slot,
                        unlocked: 0,
                        unsettled: 0,
                        unsettledValue: 0,
                        floor: 0,
                        openingsLeft: 0,
                        stopped: .none,
                        totals: Totals()
                    )
                )
            }
        }
        return infos
    }

    private func info(_ channel: Channel, _ known: Incoming) -> ChannelInfo {
        let winners = known.open.values.filter { $0.state != .unlocked }
        let hasOpenings = identity.parameters.rule == .commitment && channel.ticketEpoch > 0
        return ChannelInfo(
            channel: channel,
            direction: .incoming,
            slot: known.slot,
            unlocked: known.open.count - winners.count,
            unsettled: winners.count,
            unsettledValue: winners.reduce(0) { $0 + $1.amount },
            floor: known.state.floor,
            openingsLeft: hasOpenings ? known.state.nextPosition : 0,
            stopped: known.stopped,
            totals: totals[channel.id] ?? Totals()
        )
    }
}
