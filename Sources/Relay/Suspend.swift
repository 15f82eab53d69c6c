internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link

extension Worker {
    /// Longest wait for a socket's buffer to take the last trains.
    private static var flushMillis: Int { @_noLocks get { 50 } }

    /// Stops between two packets and leaves everything where the next worker finds it: what the
    /// kernel has handed to us is opened and waits in the queue, what is sealed is sent, all else
    /// lies in this worker's memory and rings, or still in the socket.
    @_noLocks
    mutating func suspend() {
        guard port.stop() else { return board.set(.failed) }
        // Nobody gives us any more; what was given grows no older in the queue.
        backlog?.post(number, .max)
        takeSpilled()
        repeat {
            arrived = port.take()
            open()
            // Much can lie in the buffers: nothing is dropped because the queue was full before.
            while queue.count > config.queue.packets / 4 { workOff() }
        } while arrived > 0
        links.sealQueued()
        guard port.flush(millis: Worker.flushMillis) else { return board.set(.failed) }
        post()
        links.leave()
        leaveNote()
        isSuspended = true
    }

    /// A batch goes from the queue to the mixer, as in a turn in which nothing comes.
    @_noLocks
    private mutating func workOff() {
        batch.reset(nowNanos: port.nanos())
        admit()
        peel()
        dedupe()
        settle()
        acknowledge()
        hold()
        seal()
        send()
    }

    @_noLocks
    private func leaveNote() {
        var note = WorkerNote()
        let port = port.statistics
        note.seal = WorkerNote.seal
        note.nanos = self.port.nanos()
        note.enters = past.enters + port.enters
        note.dry = past.dry + port.dry
        note.receiveErrors = past.receiveErrors + port.receiveErrors
        note.sendErrors = past.sendErrors + port.dropped
        note.trains = past.trains + port.trains
        note.segmentationOff = past.segmentationOff + port.segmentationOff
        self.note[0] = note
    }

    /// Goes on where a suspended worker stopped; time has stood still since for what grows old.
    mutating func resume(_ memory: WorkerMemory, nowNanos: UInt64) {
        // Links of a constant rate keep those that wait for them apart.
        linkless = isPaced ? 0 : memory.linkless(pool)
        past = note[0]
        note[0] = WorkerNote()
        let nanos = nowNanos > past.nanos ? nowNanos - past.nanos : 0
        queue.postpone(nanos: nanos)
        frames.postpone(nanos: nanos)
        // There may be something to do at once.
        commandsWait = true
    }

    /// What the next worker needs beside the rings; of a suspended worker.
    func handOver() throws(DatapathError) -> (socket: Int32, memory: Int32) {
        (socket: try Host.share(port.socket.descriptor), memory: try pages.share())
    }
}
