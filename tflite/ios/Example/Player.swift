import AVFoundation

/// Plays stems together, each with its own volume.
final class Player {
    private let engine = AVAudioEngine()
    private var nodes: [AVAudioPlayerNode] = []
    private var files: [AVAudioFile] = []

    func load(_ urls: [URL]) throws {
        stop()
        nodes.forEach(engine.detach)
        files = try urls.map { try AVAudioFile(forReading: $0) }
        nodes = files.map { file in
            let node = AVAudioPlayerNode()
            engine.attach(node)
            engine.connect(node, to: engine.mainMixerNode, format: file.processingFormat)
            return node
        }
    }

    func setVolume(_ volume: Float, of index: Int) {
        nodes[index].volume = volume
    }

    func play() throws {
        try AVAudioSession.sharedInstance().setCategory(.playback)
        try engine.start()
        for (node, file) in zip(nodes, files) { node.scheduleFile(file, at: nil) }
        guard let now = nodes.first?.lastRenderTime else { return nodes.forEach { $0.play() } }
        let start = AVAudioTime(sampleTime: now.sampleTime + 4096, atRate: now.sampleRate)
        nodes.forEach { $0.play(at: start) }
    }

    func stop() {
        nodes.forEach { $0.stop() }
        engine.stop()
    }
}
