internal import Bytes

// The lists that a packet and a row are in. Links are slots and rows; `none` ends a list.
extension FairQueue {
    /// The youngest packet of its row, and of all.
    @_noLocks
    func append(_ slot: UInt32, _ new: Entry) {
        var entry = new
        let row = Int(entry.row)
        entry.ahead = rows[row].last
        entry.older = state[0].youngest
        entries[Int(slot)] = entry
        if entry.ahead == FairQueue.none {
            rows[row].first = slot
        } else {
            entries[Int(entry.ahead)].behind = slot
        }
        if entry.older == FairQueue.none {
            state[0].oldest = slot
        } else {
            entries[Int(entry.older)].younger = slot
        }
        rows[row].last = slot
        state[0].youngest = slot
        state[0].count += 1
        setCount(entry.row, rows[row].count + 1)
        if !rows[row].isInRound { joinRound(entry.row) }
    }

    /// Takes a packet out, wherever it stands. Its row keeps its place in the round.
    @_noLocks
    func remove(_ slot: UInt32) {
        let entry = entries[Int(slot)]
        let row = Int(entry.row)
        if entry.ahead == FairQueue.none {
            rows[row].first = entry.behind
        } else {
            entries[Int(entry.ahead)].behind = entry.behind
        }
        if entry.behind == FairQueue.none {
            rows[row].last = entry.ahead
        } else {
            entries[Int(entry.behind)].ahead = entry.ahead
        }
        if entry.older == FairQueue.none {
            state[0].oldest = entry.younger
        } else {
            entries[Int(entry.older)].younger = entry.younger
        }
        if entry.younger == FairQueue.none {
            state[0].youngest = entry.older
        } else {
            entries[Int(entry.younger)].older = entry.older
        }
        state[0].count -= 1
        setCount(entry.row, rows[row].count - 1)
    }

    // MARK: the round

    /// The row's turn comes after all others'.
    @_noLocks
    private func joinRound(_ row: UInt32) {
        rows[Int(row)].isInRound = true
        rows[Int(row)].next = FairQueue.none
        if state[0].roundLast == FairQueue.none {
            state[0].roundFirst = row
        } else {
            rows[Int(state[0].roundLast)].next = row
        }
        state[0].roundLast = row
    }

    /// The first row's turn is over: it comes again after all others, unless it has no packets.
    @_noLocks
    func endTurn(_ row: Int) {
        state[0].isServing = false
        state[0].roundFirst = rows[row].next
        if rows[row].next == FairQueue.none { state[0].roundLast = FairQueue.none }
        rows[row].isInRound = false
        if rows[row].count > 0 {
            joinRound(UInt32(truncatingIfNeeded: row))
        } else {
            rows[row].creditNanos = 0
        }
    }

    // MARK: the heaviest row

    /// A row has one packet more or less: it goes from one level to the next.
    @_noLocks
    private func setCount(_ row: UInt32, _ count: UInt32) {
        let before = rows[Int(row)].count
        if before > 0 { leaveLevel(row, before) }
        rows[Int(row)].count = count
        if count > 0 { enterLevel(row, count) }
        if count > state[0].heaviest {
            state[0].heaviest = count
        } else if before == state[0].heaviest, levels[Int(before)] == FairQueue.none {
            state[0].heaviest = count
        }
    }

    @_noLocks
    private func enterLevel(_ row: UInt32, _ count: UInt32) {
        let right = levels[Int(count)]
        rows[Int(row)].left = FairQueue.none
        rows[Int(row)].right = right
        if right != FairQueue.none { rows[Int(right)].left = row }
        levels[Int(count)] = row
    }

    @_noLocks
    private func leaveLevel(_ row: UInt32, _ count: UInt32) {
        let (left, right) = (rows[Int(row)].left, rows[Int(row)].right)
        if left == FairQueue.none {
            levels[Int(count)] = right
        } else {
            rows[Int(left)].right = right
        }
        if right != FairQueue.none { rows[Int(right)].left = left }
    }
}
