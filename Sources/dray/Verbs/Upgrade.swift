import JSON
import Node

extension Verb {
    static let upgrade = Verb(
        name: "upgrade",
        summary: "have another build go on in a running node's place, without losing a packet",
        options: [
            configOption, socketOption,
            Option(
                name: "binary",
                value: "PATH",
                help: "the other build; else the file that the node was started from"
            ),
            Option(
                name: "wait-s",
                value: "N",
                help: "longest wait for its word that it can go on, 1 to 60; else 10"
            ),
        ],
        example: "dray upgrade --config /etc/dray/dray.toml --binary /usr/local/bin/dray",
        run: upgradeNode
    )
}

/// Longest wait for the node to answer again.
private let patienceMillis = 30_000

private func upgradeNode(_ arguments: Arguments) throws(Failure) {
    let path = try adminSocket(arguments)
    let seconds = try arguments.integer("wait-s", 10, in: 1...60)
    let request = AdminRequest.upgrade(
        binary: arguments["binary"].map { Paths.resolve($0, in: Child.folder) },
        waitMillis: 1_000 * seconds
    )
    let asked = try ask(request, path)
    let attempt = asked["attempt"]?.integer ?? 0
    for _ in 0..<(patienceMillis / 20) {
        pause(millis: 20)
        guard let status = try? AdminClient.ask(.status, socket: path),
            isAfter(attempt, status, asked)
        else { continue }
        if let failure = status["upgrades"]?["failure"]?.text { throw .failed(failure) }
        return show(status, from: asked["from"]?.text ?? "", arguments)
    }
    throw .failed("the node does not answer after the upgrade; see its log")
}

/// True for the status of a program that came to the upgrade's end.
private func isAfter(_ attempt: Int, _ status: JSON, _ asked: JSON) -> Bool {
    let upgrades = status["upgrades"]
    guard upgrades?["attempts"]?.integer == attempt else { return false }
    let before = asked["done"]?.integer ?? 0
    return upgrades?["done"]?.integer != before || upgrades?["failure"]?.text != nil
}

private func show(_ status: JSON, from before: String, _ arguments: Arguments) {
    let upgrades = status["upgrades"]
    let micros = upgrades?["pause_us"]?.integer ?? 0
    let version = status["version"]?.text ?? ""
    guard !arguments.json else {
        let document: JSON = [
            "from": .string(before), "to": .string(version), "pause_us": .integer(micros),
        ]
        return print(document)
    }
    print("upgraded: \(version), after a pause of \(micros / 1_000).\(micros % 1_000 / 100) ms")
}
