import Kerasep
import SwiftUI
import UniformTypeIdentifiers

@main
struct KerasepExample: App {
    var body: some Scene {
        WindowGroup { ContentView() }
    }
}

/// Pick a song, separate it, play and mix the stems, share them.
struct ContentView: View {
    @StateObject private var session = Session()
    @State private var picks = false

    var body: some View {
        NavigationView {
            List {
                Button("Pick a song") { picks = true }.disabled(session.isBusy)
                if session.isBusy { ProgressView(value: session.progress) }
                Text(session.status)
                ForEach(session.stems.indices, id: \.self) { index in
                    VStack(alignment: .leading) {
                        Text(session.stems[index].deletingPathExtension().lastPathComponent)
                        Slider(value: session.volume(of: index), in: 0...1)
                    }
                }
                if !session.stems.isEmpty {
                    Button("Play", action: session.play)
                    Button("Stop", action: session.stop)
                    ShareSheetButton(urls: session.stems)
                }
            }
            .navigationTitle("kerasep")
        }
        .fileImporter(isPresented: $picks, allowedContentTypes: [.audio]) { result in
            if case .success(let url) = result { session.separate(url) }
        }
    }
}

/// What the view shows, and the work behind it.
@MainActor
final class Session: ObservableObject {
    @Published var stems: [URL] = []
    @Published var progress = 0.0
    @Published var status = "Pick a song."
    @Published var isBusy = false
    @Published private var volumes: [Float] = []
    private let player = Player()

    func volume(of index: Int) -> Binding<Float> {
        Binding(get: { self.volumes[index] }, set: { value in
            self.volumes[index] = value
            self.player.setVolume(value, of: index)
        })
    }

    func separate(_ url: URL) {
        isBusy = true
        progress = 0
        let start = Date()
        Task.detached(priority: .userInitiated) {
            do {
                let stems = try separated(url) { share in
                    Task { @MainActor in self.progress = share }
                }
                await self.adopt(stems, seconds: Date().timeIntervalSince(start))
            } catch {
                await self.fail("\(error)")
            }
        }
    }

    func play() {
        do { try player.play() } catch { status = error.localizedDescription }
    }

    func stop() { player.stop() }

    private func adopt(_ urls: [URL], seconds: Double) {
        do {
            try player.load(urls)
            volumes = urls.map { _ in 1 }
            stems = urls
            status = String(format: "Separated in %.1f s.", seconds)
        } catch {
            status = error.localizedDescription
        }
        isBusy = false
    }

    private func fail(_ message: String) {
        status = message
        isBusy = false
    }
}

/// Separate a file with the app's model, off the main thread.
private func separated(_ url: URL, progress: @escaping (Double) -> Void) throws -> [URL] {
    guard let model = Bundle.main.path(forResource: "model", ofType: "tflite") else {
        throw CocoaError(.fileNoSuchFile)
    }
    let allowed = url.startAccessingSecurityScopedResource()
    defer { if allowed { url.stopAccessingSecurityScopedResource() } }
    let separator = try Separator(path: model) { try TensorFlowLiteInterpreter(path: $0, threads: 4) }
    let source = try FileSource(url)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let files = try StemFiles(
        names: separator.about.sources, folder: folder, sampleRate: source.sampleRate,
        channels: source.channels)
    var done = 0
    try separator.separate(source) { block in
        try files.write(block)
        done += block.count / source.channels / separator.about.sources.count
        progress(Double(done) / Double(max(1, source.samples)))
    }
    return files.urls
}

private struct ShareSheetButton: View {
    let urls: [URL]
    @State private var isShown = false

    var body: some View {
        Button("Share the stems") { isShown = true }
            .sheet(isPresented: $isShown) { ShareSheet(urls: urls) }
    }
}

private struct ShareSheet: UIViewControllerRepresentable {
    let urls: [URL]

    func makeUIViewController(context: Context) -> UIActivityViewController {
        UIActivityViewController(activityItems: urls, applicationActivities: nil)
    }

    func updateUIViewController(_ controller: UIActivityViewController, context: Context) {}
}
