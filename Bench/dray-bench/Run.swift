import Glibc
import Harness
import JSON
import Load

/// Writes a line to standard error.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe write(2, bytes, bytes.count)
}

/// Measures what is wanted, prints, records and compares; the program's exit code.
func runBenchmarks(_ options: Options) -> Int32 {
    let isShort = options.smoke || options.calls != nil
    let cases = allCases(isShort: isShort).filter { options.wants($0) }
    let hasLoad = options.calls == nil && options.wantsLoad
    guard !cases.isEmpty || hasLoad else {
        say("dray-bench: nothing is called \(options.names.joined(separator: " "))")
        return 2
    }
    if let calls = options.calls {
        for item in cases { print(item.name, item.call(times: calls)) }
        return 0
    }
    var earlier: JSON?
    if let path = options.against {
        guard let text = readFile(path), let value = try? JSON.parse(text) else {
            say("dray-bench: \(path) cannot be read as a document of dray-bench")
            return 2
        }
        earlier = value
    }
    let relays = cases.contains { $0.name.hasPrefix("relay.") }
    if relays, !relayingAllocatesNothing() { return 1 }
    var measured = Harness(smoke: options.smoke).run(cases) { say($0) }
    if hasLoad {
        var suite = LoadSuite(smoke: options.smoke) { say($0) }
        suite.wants = { name in options.names.contains { $0 == "load" || name.hasPrefix($0) } }
        if let item = allCases(isShort: true).first(where: { $0.name == "relay.carried" }) {
            suite.carried = { processorNanos(item, calls: options.smoke ? 4 : 64) }
        }
        switch Result(catching: { () throws(LoadError) in try suite.run() }) {
        case .success(let figures): measured += figures
        case .failure(let error):
            say("dray-bench: \(error)")
            return 1
        }
    }
    let document = Document(machine: Machine(), table: tableName(), results: measured)
    print(document.text)
    if let path = options.json, !writeFile(path, document.json.description + "\n") {
        say("dray-bench: \(path) cannot be written")
        return 1
    }
    guard let earlier else { return 0 }
    let comparison = Comparison(document, against: earlier)
    for line in comparison.lines { print(line) }
    for name in comparison.worse { say("\(name) is more than 10 % worse") }
    return comparison.worse.isEmpty ? 0 : 1
}

/// Processor time of one operation of a case.
private func processorNanos(_ item: Case, calls: Int) -> Double {
    _ = item.call(times: 1)
    let before = threadNanos()
    _ = item.call(times: calls)
    return Double(threadNanos() - before) / Double(calls * item.operations)
}

/// A relayed packet allocates nothing after warm-up; says so if it does.
private func relayingAllocatesNothing() -> Bool {
    guard let bytes = allocatedPerPacket() else {
        say("allocations are not counted: built without jemalloc")
        return true
    }
    say("\(rounded(bytes, 3)) bytes allocated per relayed packet")
    return bytes == 0
}

private func readFile(_ path: String) -> String? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { _ = unsafe fclose(file) }
    var bytes: [UInt8] = []
    while true {
        let byte = unsafe fgetc(file)
        guard byte >= 0 else { return String(validating: bytes, as: UTF8.self) }
        bytes.append(UInt8(byte))
    }
}

private func writeFile(_ path: String, _ text: String) -> Bool {
    guard let file = unsafe fopen(path, "w") else { return false }
    let written = unsafe fputs(text, file) >= 0
    let closed = unsafe fclose(file) == 0
    return written && closed
}
