/// The indices of a channel that are not decided yet, in order.
///
/// An index waits for every lower one: until that is unlocked, known to be void, or too old.
/// Indices that were never seen wait as gaps, from the moment a higher one was seen.
struct PendingQueue {
    private enum Kind { case gap, locked, unlocked, skipped }

    private struct Entry {
        var first: UInt64
        var last: UInt64
        var kind: Kind
        var deadline: UInt64
    }

    // Sorted, without holes; entries before `head` are done.
    private var entries: [Entry] = []
    private var head = 0
    /// The lowest index not decided.
    private(set) var floor: UInt64
    /// One above the highest index seen.
    private(set) var top: UInt64

    init(floor: UInt64) {
        self.floor = floor
        top = floor
    }

    /// Number of entries that wait.
    var count: Int { entries.count - head }

    /// A ticket is held; false if its index is decided already.
    @discardableResult
    mutating func lock(_ index: UInt64, now: UInt64, deadline: UInt64) -> Bool {
        set(index, .locked, now: now, deadline: deadline)
    }

    /// A ticket can be drawn; false if its index is decided already.
    mutating func unlock(_ index: UInt64, now: UInt64, deadline: UInt64) -> Bool {
        set(index, .unlocked, now: now, deadline: deadline)
    }

    /// A ticket is void.
    mutating func skip(_ index: UInt64, now: UInt64, deadline: UInt64) {
        _ = set(index, .skipped, now: now, deadline: deadline)
    }

    /// The next index to be drawn; nil while a lower one may still come. `force` waits for none.
    mutating func ready(now: UInt64, force: Bool = false) -> UInt64? {
        while head < entries.count {
            let entry = entries[head]
            switch entry.kind {
            case .unlocked: return entry.first
            case .skipped: break
            case .gap, .locked:
                guard force || entry.deadline <= now else { return nil }
            }
            pop()
        }
        return nil
    }

    /// Up to `most` indices that `ready` would give, one after the other.
    func upcoming(_ most: Int, now: UInt64, force: Bool = false) -> [UInt64] {
        var indices: [UInt64] = []
        for entry in entries[head...] where indices.count < most {
            switch entry.kind {
            case .unlocked: indices.append(entry.first)
            case .skipped: break
            case .gap, .locked:
                guard force || entry.deadline <= now else { return indices }
            }
        }
        return indices
    }

    /// The index that `ready` gave has been decided.
    mutating func decided() { pop() }

    private mutating func pop() {
        floor = entries[head].last + 1
        head += 1
        guard head > 1_024, head * 2 > entries.count else { return }
        entries.removeFirst(head)
        head = 0
    }

    /// `deadline` is for the index itself and for the gap below it that it reveals.
    private mutating func set(
        _ index: UInt64,
        _ kind: Kind,
        now: UInt64,
        deadline: UInt64
    ) -> Bool {
        guard index >= floor else { return false }
        let entry = Entry(first: index, last: index, kind: kind, deadline: deadline)
        if index >= top {
            if index > top {
                entries.append(
                    Entry(first: top, last: index - 1, kind: .gap, deadline: deadline)
                )
            }
            entries.append(entry)
            top = index + 1
            return true
        }
        let place = find(index)
        switch entries[place].kind {
        case .gap: split(place, entry)
        case .locked: entries[place] = entry
        case .unlocked, .skipped: return false
        }
        return true
    }

    private mutating func split(_ place: Int, _ entry: Entry) {
        let gap = entries[place]
        var pieces: [Entry] = []
        if gap.first < entry.first {
            pieces.append(
                Entry(first: gap.first, last: entry.first - 1, kind: .gap, deadline: gap.deadline)
            )
        }
        pieces.append(entry)
        if entry.last < gap.last {
            pieces.append(
                Entry(first: entry.last + 1, last: gap.last, kind: .gap, deadline: gap.deadline)
            )
        }
        entries.replaceSubrange(place...place, with: pieces)
    }

    /// The entry that holds an index between `floor` and `top`.
    private func find(_ index: UInt64) -> Int {
        var low = head
        var high = entries.count - 1
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].last < index { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
