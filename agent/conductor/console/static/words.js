// The page's words in both languages; what the conductor says in codes is put into words here too.
const WORDS = {
  vi: {
    login: "Đăng nhập", name: "Tên", password: "Mật khẩu", logout: "Đăng xuất", rooms: "Các phòng", meeting: "Cuộc họp",
    start: "Bắt đầu", chair: "Phòng chủ tọa", group: "Nhóm", roomlist: "Các phòng (mã, cách nhau bởi dấu cách)", title: "Tiêu đề", mode: "Cách họp",
    discussion: "Thảo luận", "one-by-one": "Lần lượt từng phòng", "chair-grants": "Chủ tọa cho phép", id: "Mã cuộc họp",
    next: "Mời người kế tiếp", "mute-all": "Tắt tiếng tất cả", call: "Gọi phòng vắng", message: "Thông báo", rollcall: "Điểm danh", extend: "Thêm 30 phút",
    end: "Kết thúc", give: "Mời nói", take: "Thu lại", lower: "Hạ tay", queue: "Đang giơ tay", roster: "Điểm danh", speaking: "Đang phát biểu",
    minutes: "Biên bản", pictures: "Hình", hidepictures: "Tắt hình", more: "Trang sau", nobody: "Không có ai", really: "Bấm lần nữa để kết thúc",
    lost: "Mất liên lạc với bộ điều hành: những gì bên dưới có thể không còn đúng. Các cuộc họp vẫn tiếp tục.", hub: "Bộ điều hành báo: ",
    present: "có mặt", "on-the-way": "đang vào", called: "đã gọi", silent: "im lặng", away: "mất kết nối", failed: "thất bại", elsewhere: "họp khác",
    stuck: "không làm gì", left: "đã rời", online: "kết nối", offline: "đã tắt", unknown: "chưa thấy", hand: "giơ tay", live: "đang mở micrô", muted: "tắt micrô", off: "",
    standby: "chờ", joining: "đang vào", "in-meeting": "đang họp", reconnecting: "nối lại", leaving: "đang rời", fault: "lỗi", calls: "lần gọi",
    day: "Lịch họp hôm nay", unchecked: "chưa kiểm tra", cancelled: "đã hủy",
    until: "đến", unanswered: "chưa trả lời", nopicture: "chưa có hình", length: "Thời gian (phút)",
    done: "Đã làm", text: "Nội dung", yes: "Có mặt", no: "Vắng", language: "English", go: "sẵn sàng", "no-go": "CHƯA SẴN SÀNG", "camera-by-hand": "phòng đã tắt camera",
    "wrong-password": "Sai tên hoặc mật khẩu", "too-often": "Thử quá nhiều lần, hãy đợi", "not-permitted": "Bạn chỉ được xem", "queue-empty": "Không phòng nào giơ tay",
    "changed-meanwhile": "Người khác đã làm trước", "floor-full": "Đã đủ phòng phát biểu", "floor-open": "Phòng này vốn được phát biểu", "already-running": "Cuộc họp này đang diễn ra",
    "run-elsewhere": "Bộ điều hành khác đang giữ cuộc họp này", "bad-meeting": "Không thể mở cuộc họp như vậy", "room-taken": "Một phòng đang họp cuộc khác", "journal-failed": "Không ghi được nhật ký nên chưa làm gì",
    "no-such-meeting": "Không có cuộc họp này", "not-a-member": "Phòng không thuộc cuộc họp", "bad-request": "Yêu cầu không hợp lệ", "not-logged-in": "Hãy đăng nhập lại", "no-answer": "Bộ điều hành không trả lời",
  },
  en: {
    login: "Log in", name: "Name", password: "Password", logout: "Log out", rooms: "Rooms", meeting: "Meeting",
    start: "Start", chair: "Chair's room", group: "Group", roomlist: "Rooms (ids, separated by spaces)", title: "Title", mode: "Mode",
    discussion: "Discussion", "one-by-one": "One by one", "chair-grants": "The chair grants", id: "Meeting's id",
    next: "Next speaker", "mute-all": "Mute all", call: "Call who is missing", message: "Message", rollcall: "Roll call", extend: "30 minutes more",
    end: "End", give: "Give", take: "Take", lower: "Lower", queue: "Hands raised", roster: "Roster", speaking: "Has the floor",
    minutes: "Minutes", pictures: "Pictures", hidepictures: "No pictures", more: "Next page", nobody: "Nobody", really: "Press again to end it",
    lost: "The conductor is lost: what stands below may not be true any more. Meetings go on.", hub: "The conductor says: ",
    present: "there", "on-the-way": "on the way", called: "called", silent: "silent", away: "not connected", failed: "failed", elsewhere: "in another meeting",
    stuck: "does nothing", left: "has left", online: "connected", offline: "switched off", unknown: "never seen", hand: "hand raised", live: "microphone live", muted: "muted", off: "",
    standby: "standby", joining: "joining", "in-meeting": "in a meeting", reconnecting: "reconnecting", leaving: "leaving", fault: "fault", calls: "calls",
    day: "To come", unchecked: "not checked yet", cancelled: "cancelled",
    until: "until", unanswered: "not answered", nopicture: "no picture yet", length: "Length (minutes)",
    done: "Done", text: "Text", yes: "Here", no: "Absent", language: "Tiếng Việt", go: "ready", "no-go": "NOT READY", "camera-by-hand": "camera switched off in the room",
    "wrong-password": "Name or password is wrong", "too-often": "Too many tries, wait", "not-permitted": "You may look and not act", "queue-empty": "No hand is raised",
    "changed-meanwhile": "Somebody else was faster", "floor-full": "Enough rooms have the floor", "floor-open": "This room has the floor anyway", "already-running": "This meeting is running already",
    "run-elsewhere": "Another conductor runs this meeting", "bad-meeting": "No meeting can be held like that", "room-taken": "A room is in another meeting", "journal-failed": "The journal can't be written, so nothing was done",
    "no-such-meeting": "There is no such meeting", "not-a-member": "The room does not belong to the meeting", "bad-request": "Something in it is not right", "not-logged-in": "Log in again", "no-answer": "The conductor did not answer",
  },
};

let language = "vi";
try { language = localStorage.getItem("language") || (navigator.language.startsWith("vi") ? "vi" : "en"); } catch { /* no storage */ }
document.documentElement.lang = language;

export function word(key) { return WORDS[language][key] ?? key; }
export function otherLanguage() {
  language = language === "vi" ? "en" : "vi";
  try { localStorage.setItem("language", language); } catch { /* no storage */ }
  document.documentElement.lang = language;
}
