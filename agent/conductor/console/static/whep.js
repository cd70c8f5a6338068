// One picture: a WHEP session (draft-ietf-wish-whep) into a <video>, tried again while it is wanted.
const AGAIN_MILLISECONDS = 3000;

export class Player {
  constructor(url, token, muted = true) {
    this.url = url;
    this.token = token;
    this.video = document.createElement("video");
    this.video.muted = muted;
    this.video.autoplay = this.video.playsInline = true;
    this.video.hidden = true; // until there is a picture: a black one says nothing
    this.video.addEventListener("loadeddata", () => { this.video.hidden = false; });
    this.closed = false;
    this.begin();
  }

  async begin() {
    if (this.closed) return;
    const pc = this.pc = new RTCPeerConnection();
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.addTransceiver("audio", { direction: "recvonly" });
    const stream = new MediaStream();
    pc.ontrack = ({ track }) => { stream.addTrack(track); this.video.srcObject = stream; };
    pc.onconnectionstatechange = () => { if (pc.connectionState === "failed") this.again(); };
    try {
      await pc.setLocalDescription(await pc.createOffer());
      await new Promise((done) => {
        if (pc.iceGatheringState === "complete") done();
        pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
        setTimeout(done, 1000);
      });
      const headers = { "Content-Type": "application/sdp" };
      if (this.token) headers.Authorization = `Bearer ${this.token}`;
      const answer = await fetch(this.url, { method: "POST", headers, body: pc.localDescription.sdp });
      if (!answer.ok) throw new Error(answer.statusText);
      const place = answer.headers.get("Location");
      this.session = place && new URL(place, this.url).href;
      await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    } catch {
      this.again();
    }
  }

  again() {
    this.pc?.close();
    this.video.hidden = true;
    if (!this.closed) setTimeout(() => this.begin(), AGAIN_MILLISECONDS);
  }

  close() {
    this.closed = true;
    this.pc?.close();
    if (this.session) {
      const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
      fetch(this.session, { method: "DELETE", headers, keepalive: true }).catch(() => {});
    }
  }
}
