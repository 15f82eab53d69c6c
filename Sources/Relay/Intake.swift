internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange

extension Worker {
    private static var commandsPerTurn: Int { @_noLocks get { 64 } }

    /// What control wants: packets of our own, mixed or not, and acknowledgements.
    @_noLocks
    mutating func intake() {
        commandsWait = false
        for _ in 0..<Worker.commandsPerTurn {
            // With a full mixer the next command comes when a packet has left; there is nothing to
            // hurry.
            guard heldCount < config.mixerCapacity else { return }
            guard outgoingCount < Worker.outgoingMax else { break }
            guard let command = commands.next() else { return }
            if command.isSend {
                takeOwn(command)
            } else {
                queueAck(command.keyID, engine.sign(ackKey: command.ackKey, snapshot: snapshot))
            }
            commands.release()
        }
        commandsWait = true
    }

    @_noLocks
    private mutating func takeOwn(_ command: Command) {
        counters.count(.made)
        guard command.packet.byteCount == packetBytes, let slot = pool.take(.worker) else {
            counters.count(.noForward)
            return
        }
        slab.packet(slot, packetBytes).copy(command.packet, to: 0)
        if command.hasAckChallenge {
            // Unknown acknowledgements are counted, so one that finds no room shows.
            _ = engine.registerSent(
                keyID: command.keyID,
                ackChallenge: command.ackChallenge,
                snapshot: snapshot,
                nowNanos: batch.nowNanos
            )
        }
        notes[Int(slot)] = SlotNote(keyID: command.keyID, cameNanos: 0)
        if command.mix {
            mix(slot)
        } else {
            outgoing[outgoingCount] = slot
            outgoingCount += 1
        }
    }
}
