/// Memory that this process can still have.
enum FreeMemory {
    /// Bytes: what the machine has, or what the process's group may still take if that is less; nil
    /// where neither can be read.
    static var bytes: Int? {
        let group = "/sys/fs/cgroup"
        return least(
            machine: try? Files.text("/proc/meminfo"),
            limit: try? Files.text("\(group)/memory.max"),
            used: try? Files.text("\(group)/memory.current")
        )
    }

    /// The same, from what the system's files say.
    static func least(machine: String?, limit: String?, used: String?) -> Int? {
        let parts = [available(machine), left(limit, used)].compactMap { $0 }
        return parts.min()
    }

    private static func available(_ machine: String?) -> Int? {
        let lines = (machine ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("MemAvailable:") }) else { return nil }
        let words = line.split(separator: " ")
        guard words.count == 3, words[2] == "kB", let size = Int(words[1]) else { return nil }
        return size << 10
    }

    /// A group without a limit says `max`.
    private static func left(_ limit: String?, _ used: String?) -> Int? {
        guard let most = number(limit), let taken = number(used) else { return nil }
        return max(0, most - taken)
    }

    private static func number(_ text: String?) -> Int? {
        (text?.split(whereSeparator: \.isWhitespace).first).flatMap { Int($0) }
    }
}
