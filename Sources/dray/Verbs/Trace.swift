import Bytes
import JSON
import Node

extension Verb {
    static let traceRecord = Verb(
        name: "trace record",
        summary: "record what crosses a running node's links: times, kinds and sizes",
        options: [
            configOption, socketOption,
            Option(
                name: "out",
                value: "FILE",
                help: "a new file, for the node's user alone",
                required: true
            ),
            Option(name: "seconds", value: "N", help: "how long; else until it is interrupted"),
            Option(name: "bytes", value: "N", help: "most bytes of the file, 4096 at least"),
            Option(name: "whole", value: nil, help: "keep packets whole, encrypted as they are"),
            Option(name: "force", value: nil, help: "replace a file that is there"),
        ],
        example: "dray trace record --config dray.toml --out evening.trace --seconds 60",
        run: recordTrace
    )

    static let traceReplay = Verb(
        name: "trace replay",
        summary: "send what a trace says came in to a relay of yours, to test its defence",
        options: [
            Option(name: "in", value: "FILE", help: "the trace", required: true),
            Option(
                name: "config",
                value: "FILE",
                help: "a registered node that does not run: whose neighbour it looks like",
                required: true
            ),
            Option(
                name: "to",
                value: "ADDRESS",
                help: "chain address of the relay",
                required: true
            ),
            Option(
                name: "at",
                value: "HOST:PORT",
                help: "where it is; else what the register says"
            ),
            Option(name: "speed", value: "X", help: "so many times as fast as recorded; else 1"),
            Option(name: "rate", value: "N", help: "frames a second, instead of the trace's times"),
            Option(name: "wait-s", value: "N", help: "wait for answers at the end; else 1"),
        ],
        example: "dray trace replay --in evening.trace --config second.toml --to 0x5fc8…a1",
        run: replayTrace
    )

    static let traceShow = Verb(
        name: "trace show",
        summary: "what is in a trace, that of a load run too",
        operands: ["FILE"],
        options: [
            Option(name: "records", value: "N", help: "print the first N records too")
        ],
        example: "dray trace show evening.trace --records 20",
        run: showTrace
    )
}

// MARK: record

/// How often the node is asked how far it is: a recording that nobody asks for ends.
private let askMillis = 200

private func recordTrace(_ arguments: Arguments) throws(Failure) {
    let socket = try adminSocket(arguments)
    var wish = TraceWish(
        file: Paths.resolve(arguments.value("out"), in: Child.folder),
        isWhole: arguments.flags.contains("whole"),
        replaces: arguments.flags.contains("force")
    )
    if arguments["seconds"] != nil {
        wish.seconds = try arguments.integer("seconds", 1, in: 1...TraceWish.secondsMost)
    }
    if arguments["bytes"] != nil {
        let range = TraceWish.bytesLeast...TraceWish.bytesMost
        wish.bytes = try arguments.integer("bytes", range.lowerBound, in: range)
    }
    let signals = Signals()
    _ = try ask(.beginTrace(wish), socket)
    if wish.isWhole {
        writeLine(
            "dray: warning: \(wish.file) keeps whole packets. They are encrypted, but with their "
                + "times they tell by which links a packet came and went: keep the file as you "
                + "keep keys, and delete it soon"
        )
    }
    var last: JSON = [:]
    while true {
        let isInterrupted = signals.next(millis: askMillis) == .stop
        let request: AdminRequest =
            isInterrupted ? .endTrace(file: wish.file) : .traceState(file: wish.file)
        guard let state = try? AdminClient.ask(request, socket: socket) else { break }
        last = state
        if state["recording"]?.bool == false { break }
    }
    try report(wish.file, last, arguments)
}

/// Says how a recording ended; if the node cannot say it any more, its file does.
private func report(_ file: String, _ state: JSON, _ arguments: Arguments) throws(Failure) {
    var state = state
    if state["recording"]?.bool != false {
        state = try whatIsLeft(file).document
    }
    let end = TraceEnd(named: state["end"]?.text ?? "")
    if arguments.json {
        print(state)
    } else {
        let seconds = Output.seconds(state["seconds"])
        print(
            "\(Output.number(state["records"])) records in \(seconds) s to \(file), "
                + "\(Output.number(state["dropped"])) dropped; ended: \(end?.text ?? "unknown")"
        )
    }
    if let failure = state["failure"]?.text { throw .failed(failure) }
    if end?.isWished != true { throw Failure(code: 1, message: "") }
}

/// What a node that does not answer any more has left: it may still be at it.
private func whatIsLeft(_ file: String) throws(Failure) -> TraceSummary {
    var tries = 0
    while true {
        do throws(TraceFailure) {
            return try TraceSummary(file)
        } catch {
            guard tries < 25 else {
                throw .failed("the node does not answer any more; \(error)")
            }
        }
        tries += 1
        pause(millis: askMillis)
    }
}

// MARK: replay

private func replayTrace(_ arguments: Arguments) throws(Failure) {
    let text = arguments.value("to")
    guard let address = Address(hex: text) else {
        throw .usage("--to \(text): not a chain address of 20 bytes in hexadecimal")
    }
    var plan = TraceReplay.Plan(
        file: arguments.value("in"),
        configuration: try Failure.load(arguments),
        to: address
    )
    if let place = arguments["at"] {
        guard let parsed = HostPort(place) else { throw .usage("--at \(place): not HOST:PORT") }
        plan.place = parsed
    }
    if let speed = arguments["speed"] {
        guard let number = Double(speed), number >= 0.001, number <= 1_000_000 else {
            throw .usage("--speed \(speed): not a number from 0.001 to 1000000")
        }
        plan.speed = number
    }
    if arguments["rate"] != nil {
        guard arguments["speed"] == nil else {
            throw .usage("--rate and --speed: only one of them")
        }
        plan.rate = try arguments.integer("rate", 1, in: 1...10_000_000)
    }
    plan.waitMillis = try 1_000 * arguments.integer("wait-s", 1, in: 0...600)
    let signals = Signals()
    let document: JSON
    do throws(StartError) {
        document = try TraceReplay.run(plan) { signals.next(millis: 0) == .stop }
    } catch {
        throw Failure(code: error.code, message: error.description)
    }
    print(arguments.json ? document.description : TraceText.replay(document))
}

// MARK: show

private func showTrace(_ arguments: Arguments) throws(Failure) {
    let count = try arguments.integer("records", 0, in: 0...1_000_000)
    let summary: TraceSummary
    do throws(TraceFailure) {
        summary = try TraceSummary(arguments.operands[0], showing: count)
    } catch {
        throw .failed(error.description)
    }
    let document = summary.document
    print(arguments.json ? document.description : TraceText.show(document))
}
